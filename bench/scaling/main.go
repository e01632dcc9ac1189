// Command scaling measures how CodeForge's operator and KEDA size the same workers under the same loads, side by side, on a
// real kube-apiserver, kube-controller-manager and nats-server. Only the pods are played: see node.go and worker.go.
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

func main() {
	o := options{}
	flag.BoolVar(&o.quick, "quick", false, "fewer repeats and loads, about 3 minutes")
	flag.StringVar(&o.bin, "bin", "", "folder of etcd, kube-apiserver, kube-controller-manager, nats-server, keda-operator, keda-adapter")
	flag.StringVar(&o.kedaCRDs, "keda-crds", "", "folder of KEDA's CRDs")
	flag.StringVar(&o.crds, "crds", "", "folder of the operator's CRDs")
	flag.StringVar(&o.jar.Java, "java", "java", "the java to run the operator with")
	flag.StringVar(&o.jar.Options, "java-options", "", "options of that java")
	flag.StringVar(&o.jar.Path, "jar", "", "the operator's jar; its libraries are in lib beside it")
	flag.StringVar(&o.work, "work", "", "folder for state and logs of the servers")
	flag.StringVar(&o.out, "out", "", "folder for tables.md and scaling.svg")
	flag.StringVar(&o.versions, "versions", "", "what is compared, a line each")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := measureAll(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

type options struct {
	quick                                    bool
	bin, kedaCRDs, crds, work, out, versions string
	jar                                      servers.Jar
}

func measureAll(ctx context.Context, o options) error {
	start, before := time.Now(), servers.LoadAverage()
	programs := &servers.Processes{Dir: o.work}
	defer programs.StopAll()
	b, plane, err := startAll(ctx, programs, o)
	if err != nil {
		return err
	}
	ones, fifties, plan := 30, 10, fullRun()
	if o.quick {
		ones, fifties, plan = 3, 1, quickRun()
	}
	fmt.Fprintln(os.Stderr, "warming up: one task on each system, not counted")
	if _, err := b.phase(ctx, []load{warmUp()}); err != nil {
		return err
	}
	all := &results{
		perPool: map[string]float64{}, bytes: map[string]float64{},
		versions: strings.Split(strings.TrimSpace(o.versions), "\n"),
	}
	fmt.Fprintln(os.Stderr, "tasks that the operator publishes")
	if all.promises, err = b.published(ctx, ones, fifties); err != nil {
		return err
	}
	for _, loads := range plan {
		outcomes, err := b.counted(ctx, loads, all)
		if err != nil {
			return err
		}
		if err := programs.Dead(); err != nil {
			return err
		}
		all.outcomes = append(all.outcomes, outcomes...)
	}
	all.machine = fmt.Sprintf("%s; load average before the run %s, at its end %s.", servers.Machine(), before, servers.LoadAverage())
	all.minutes = time.Since(start).Minutes()
	if all.requests, err = plane.APIRequests(); err != nil {
		return err
	}
	if err := chart(filepath.Join(o.out, "scaling.svg"), all.outcomes); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, "tables.md"), []byte(all.tables()), 0o644)
}
