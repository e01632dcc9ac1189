package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// startAll starts the servers, both systems and the node.
func startAll(ctx context.Context, programs *processes, o options) (*bench, *controlPlane, error) {
	plane, err := startControlPlane(ctx, programs, o.bin)
	if err != nil {
		return nil, nil, err
	}
	server, err := newNatsServer(programs, o.bin)
	if err != nil {
		return nil, nil, err
	}
	c, err := newCluster(plane.config())
	if err != nil {
		return nil, nil, err
	}
	if err := prepare(ctx, c, o); err != nil {
		return nil, nil, err
	}
	b := &bench{cluster: c, cells: &cells{known: map[string]*cell{}}, nats: server}
	if err := b.connect(ctx); err != nil {
		return nil, nil, err
	}
	if err := startOperator(ctx, programs, plane, server, o.java, o.javaOptions, o.jar); err != nil {
		return nil, nil, err
	}
	adapter, err := startKeda(ctx, programs, plane, o.bin)
	if err != nil {
		return nil, nil, err
	}
	if err := c.leadToAdapter(ctx, adapter); err != nil {
		return nil, nil, err
	}
	return b, plane, startNode(ctx, c, b.cells)
}

func prepare(ctx context.Context, c *cluster, o options) error {
	for _, folder := range []string{o.crds, o.kedaCRDs} {
		if err := c.applyCRDs(ctx, folder); err != nil {
			return err
		}
	}
	for _, resource := range []schema.GroupVersionResource{workerPools, agentTasks, scaledObjects} {
		if err := c.served(ctx, resource); err != nil {
			return err
		}
	}
	for _, namespace := range []string{"codeforge-system", "keda"} {
		if err := c.makeNamespace(ctx, namespace); err != nil {
			return err
		}
	}
	return nil
}

// connect gives each system's workers a connection of their own, and KEDA's two settings a way to NATS' monitoring each.
func (b *bench) connect(ctx context.Context) error {
	b.clients, b.looks = map[string]*nats.Conn{}, map[string]*monitoringProxy{}
	for _, s := range append([]system{oursShipped, oursPatient}, everySystem...) {
		var client *nats.Conn
		if err := eventually(ctx, "NATS answered", 10*time.Second, func() error {
			var err error
			client, err = nats.Connect(b.nats.url(), nats.Name(userAdmin+" "+s.name), nats.MaxReconnects(-1),
				nats.ReconnectWait(200*time.Millisecond))
			return err
		}); err != nil {
			return err
		}
		b.clients[s.name] = client
		if !s.ours {
			proxy, err := startMonitoringProxy(b.nats.monitoringURL(""))
			if err != nil {
				return err
			}
			b.looks[s.name] = proxy
		}
	}
	return nil
}

// counted plays a phase; of one with several loads it notes what was asked of NATS, a minute and pool.
func (b *bench) counted(ctx context.Context, loads []load, all *results) ([]*outcome, error) {
	if len(loads) < 2 {
		return b.phase(ctx, loads)
	}
	messages, err := operatorMessages(b.nats)
	if err != nil {
		return nil, err
	}
	asked, answered := map[string]int64{}, map[string]int64{}
	for name, proxy := range b.looks {
		asked[name], answered[name] = proxy.requests.Load(), proxy.bytes.Load()
	}
	outcomes, err := b.phase(ctx, loads)
	if err != nil {
		return nil, err
	}
	minutes := map[string]float64{}
	for _, o := range outcomes {
		for _, c := range o.cells {
			name := c.system.name
			if c.system.ours {
				name = ours.name
			}
			minutes[name] += c.ended.Sub(c.opened).Minutes()
		}
	}
	now, err := operatorMessages(b.nats)
	if err != nil {
		return nil, err
	}
	all.perPool[ours.name] = float64(now-messages) / minutes[ours.name]
	for name, proxy := range b.looks {
		all.perPool[name] = float64(proxy.requests.Load()-asked[name]) / minutes[name]
		all.bytes[name] = float64(proxy.bytes.Load()-answered[name]) / minutes[name]
	}
	return outcomes, nil
}

// warmUp makes each system do once what is measured later.
func warmUp() load {
	return load{
		name: "warm", title: "Warm-up", about: "one task of 1 s", systems: everySystem, most: 10,
		steps: []step{{0, same(1, work{Seconds: 1})}}, length: 36 * time.Second,
	}
}

// loadAverage of the last minute: asked before the start, it tells whether others use the machine.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// machine is what the run was made on.
func machine() string {
	cpu, memory := "", ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		cores := strings.Count(string(text), "\nprocessor") + 1
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				cpu = fmt.Sprintf("%d × %s", cores, strings.TrimSpace(value))
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kilobytes int
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kilobytes); err == nil {
			memory = fmt.Sprintf("%d GiB", kilobytes>>20)
		}
	}
	return fmt.Sprintf("%s, %s; %s", cpu, memory, time.Now().UTC().Format(time.DateOnly))
}
