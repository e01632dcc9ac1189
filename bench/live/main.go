// Command live measures the console: WebSocket clients that follow running tasks, on a real kube-apiserver, nats-server,
// operator and worker. Only pods are left out: the one worker is started beside its pool.
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
	quick                                  bool
	clients                                int
	only                                   string
	bin, crds, python, workerSource, lines string
	work, out, versions                    string
	operator, console                      servers.Jar
}

func main() {
	o := options{}
	java, jar := "", ""
	flag.BoolVar(&o.quick, "quick", false, "few clients and tasks, about a minute")
	flag.IntVar(&o.clients, "clients", 0, "only the growth step of so many clients")
	flag.StringVar(&o.only, "only", "", "only this disturbance: slow, console or nats")
	flag.StringVar(&o.bin, "bin", "", "folder of etcd, kube-apiserver and nats-server")
	flag.StringVar(&o.crds, "crds", "", "folder of the operator's CRDs")
	flag.StringVar(&java, "java", "java", "the java to run operator and console with")
	flag.StringVar(&jar, "jar", "", "their jar; its libraries are in lib beside it")
	flag.StringVar(&o.operator.Options, "operator-options", "", "options of the operator's java")
	flag.StringVar(&o.console.Options, "console-options", "", "options of the console's java")
	flag.StringVar(&o.python, "python", "", "the python that has the worker's packages")
	flag.StringVar(&o.workerSource, "worker-source", "", "folder of the worker's package")
	flag.StringVar(&o.lines, "lines", "", "file of the backend that prints lines")
	flag.StringVar(&o.work, "work", "", "folder for state and logs of the servers")
	flag.StringVar(&o.out, "out", "", "folder for tables.md")
	flag.StringVar(&o.versions, "versions", "", "what is measured, a line each")
	flag.Parse()
	for _, one := range []*servers.Jar{&o.operator, &o.console} {
		one.Java, one.Path = java, jar
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func (o options) plan() plan {
	switch {
	case o.quick:
		return quick
	case o.clients > 0:
		return oneStep(o.clients)
	case o.only != "":
		return only(o.only)
	default:
		return full
	}
}

func measure(ctx context.Context, o options) error {
	begun, before := time.Now(), servers.LoadAverage()
	programs := &servers.Processes{Dir: o.work}
	defer programs.StopAll()
	p := o.plan()
	say("starting the servers, the worker and %d tasks", p.tasks)
	b, err := start(ctx, programs, o, p)
	if err != nil {
		return err
	}
	all, err := b.run(ctx, p)
	if err != nil {
		return err
	}
	all.machine = fmt.Sprintf("%s; load average before the run %s, at its end %s.", servers.Machine(), before, servers.LoadAverage())
	all.versions = strings.Split(strings.TrimSpace(o.versions), "\n")
	all.minutes = time.Since(begun).Minutes()
	if err := os.WriteFile(filepath.Join(o.out, "tables.md"), []byte(all.tables()), 0o644); err != nil {
		return err
	}
	return all.verdict()
}
