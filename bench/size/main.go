// Command size measures what tasks cost an operator that are there: its memory, its start, its requests of a settled minute, and
// how soon a second operator takes over. On a real kube-apiserver and nats-server; no task is run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"codeforge.dev/bench/servers"
)

type options struct {
	quick               bool
	bin, crds           string
	work, out, versions string
	operator            servers.Jar
}

// cell is so many tasks of a kind.
type cell struct {
	kind  kind
	count int
}

func (o options) cells() []cell {
	if o.quick {
		return []cell{{queued, 100}, {pending, 100}, {finished, 100}}
	}
	return []cell{{queued, 1_000}, {queued, 10_000}, {pending, 3_000}, {finished, 1_000}, {finished, 10_000}}
}

func main() {
	o := options{}
	flag.BoolVar(&o.quick, "quick", false, "100 tasks of each kind, about nine minutes")
	flag.StringVar(&o.bin, "bin", "", "folder of etcd, kube-apiserver and nats-server")
	flag.StringVar(&o.crds, "crds", "", "folder of the operator's CRDs")
	flag.StringVar(&o.operator.Java, "java", "java", "the java to run operators with")
	flag.StringVar(&o.operator.Path, "jar", "", "the operator's jar; its libraries are in lib beside it")
	flag.StringVar(&o.operator.Options, "operator-options", "", "options of the operator's java")
	flag.StringVar(&o.work, "work", "", "folder for state and logs of the servers")
	flag.StringVar(&o.out, "out", "", "folder for tables.md")
	flag.StringVar(&o.versions, "versions", "", "what is measured, a line each")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) error {
	begun, before := time.Now(), servers.LoadAverage()
	all := &results{}
	for _, c := range o.cells() {
		one, err := alone(ctx, o, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		all.cells = append(all.cells, one)
	}
	all.machine = fmt.Sprintf("%s; load average before the run %s, at its end %s.", servers.Machine(), before, servers.LoadAverage())
	all.versions = strings.Split(strings.TrimSpace(o.versions), "\n")
	all.minutes = time.Since(begun).Minutes()
	return os.WriteFile(filepath.Join(o.out, "tables.md"), []byte(all.tables()), 0o644)
}

// alone measures a cell on servers of its own.
func alone(ctx context.Context, o options, c cell) (*figures, error) {
	work := filepath.Join(o.work, strings.ReplaceAll(c.String(), " ", "-"))
	if err := os.MkdirAll(work, 0o700); err != nil {
		return nil, err
	}
	programs := &servers.Processes{Dir: work}
	defer programs.StopAll()
	say("%s: starting the servers", c)
	b, err := start(ctx, programs, o)
	if err != nil {
		return nil, err
	}
	return b.measure(ctx, c)
}

func (c cell) String() string { return fmt.Sprintf("%d %s", c.count, c.kind) }

func say(format string, values ...any) {
	fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), "", fmt.Sprintf(format, values...))
}
