package main

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"codeforge.dev/bench/servers"
)

// Each system has a user of its own, so that the audit log tells whose a request is.
const (
	userOperator    = "codeforge-operator"
	userKeda        = "keda-operator"
	userKedaAdapter = "keda-adapter"
	// The controller manager gives each controller an account of its own.
	userHPA = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
)

// startAll starts the servers, both systems and the node.
func startAll(ctx context.Context, programs *servers.Processes, o options) (*bench, *servers.ControlPlane, error) {
	systems := []string{userOperator, userKeda, userKedaAdapter}
	plane, err := servers.StartControlPlane(ctx, programs, o.bin, servers.Users{Names: systems, Audited: append(systems, userHPA)})
	if err != nil {
		return nil, nil, err
	}
	if err := plane.StartControllers(programs, o.bin); err != nil {
		return nil, nil, err
	}
	server, err := servers.NewNatsServer(programs, o.bin)
	if err != nil {
		return nil, nil, err
	}
	c, err := servers.NewCluster(plane.Config())
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
	if err := servers.StartOperator(ctx, programs, plane, server, userOperator, o.jar); err != nil {
		return nil, nil, err
	}
	adapter, err := startKeda(ctx, programs, plane, o.bin)
	if err != nil {
		return nil, nil, err
	}
	if err := leadToAdapter(ctx, c, adapter); err != nil {
		return nil, nil, err
	}
	return b, plane, startNode(ctx, c, b.cells)
}

func prepare(ctx context.Context, c *servers.Cluster, o options) error {
	if err := c.Prepare(ctx, o.crds, "keda"); err != nil {
		return err
	}
	if err := c.ApplyCRDs(ctx, o.kedaCRDs); err != nil {
		return err
	}
	return c.Served(ctx, scaledObjects)
}

// connect gives each system's workers a connection of their own, and KEDA's two settings a way to NATS' monitoring each.
func (b *bench) connect(ctx context.Context) error {
	b.clients, b.looks = map[string]*nats.Conn{}, map[string]*monitoringProxy{}
	for _, s := range append([]system{oursShipped, oursPatient}, everySystem...) {
		var client *nats.Conn
		if err := servers.Eventually(ctx, "NATS answered", 10*time.Second, func() error {
			var err error
			client, err = nats.Connect(b.nats.URL(), nats.Name(servers.Admin+" "+s.name), nats.MaxReconnects(-1),
				nats.ReconnectWait(200*time.Millisecond))
			return err
		}); err != nil {
			return err
		}
		b.clients[s.name] = client
		if !s.ours {
			proxy, err := startMonitoringProxy(b.nats.MonitoringURL(""))
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
