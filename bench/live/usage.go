package main

import (
	"os"

	"codeforge.dev/bench/servers"
)

// self is this program among those that are measured.
const self = "clients"

// usages are of this program and of those that it runs, by name.
func usages(pids map[string]int) (map[string]servers.Usage, error) {
	all := map[string]servers.Usage{}
	for name, pid := range pids {
		one, err := servers.UsageOf(pid)
		if err != nil {
			return nil, err
		}
		all[name] = one
	}
	own, err := servers.UsageOf(os.Getpid())
	all[self] = own
	return all, err
}
