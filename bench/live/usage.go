package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks a second, in which Linux counts the time of processors for programs.
const ticks = 100

// self is this program among those that are measured.
const self = "clients"

// usage is what a process has taken so far: processor time, and memory of now.
type usage struct {
	cpu      time.Duration
	resident int64
}

func usageOf(pid int) (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, err
	}
	// The name, in parentheses, may have spaces.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return usage{}, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	spent := int64(0)
	for _, field := range fields[11:13] {
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return usage{}, err
		}
		spent += count
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return usage{}, err
	}
	return usage{time.Duration(spent) * time.Second / ticks, pages * int64(os.Getpagesize())}, nil
}

// usages are of this program and of those that it runs, by name.
func usages(pids map[string]int) (map[string]usage, error) {
	all := map[string]usage{}
	for name, pid := range pids {
		one, err := usageOf(pid)
		if err != nil {
			return nil, err
		}
		all[name] = one
	}
	own, err := usageOf(os.Getpid())
	all[self] = own
	return all, err
}
