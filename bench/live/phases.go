package main

import (
	"context"
	"fmt"
	"time"

	"codeforge.dev/bench/servers"
)

// plan is how large a run is.
type plan struct {
	tasks   int
	window  time.Duration
	growth  []int
	callers int // clients of the step where each is a user of its own; 0 for none
	clients int // of the steps in which something happens
	slow    int // of them, in the step of slow ones

	disturbance string // the only one; all when empty
}

var (
	full  = plan{tasks: 100, window: 15 * time.Second, growth: []int{10, 100, 1000, 2000, 5000}, callers: 1000, clients: 1000, slow: 10}
	quick = plan{tasks: 10, window: 4 * time.Second, growth: []int{10, 50}, callers: 10, clients: 50, slow: 2}
)

// oneStep is the growth of a full run at one number of clients.
func oneStep(clients int) plan {
	return plan{tasks: full.tasks, window: full.window, growth: []int{clients}}
}

// warm is the most clients of the step that is not counted.
const warm = 1000

// subscriptions of a slow client: as many as the console lets one have, so that its queue fills in seconds.
const subscriptions = 50

func (b *bench) follower(number int, user string) *client {
	return newClient(b.console.url(), user, b.tasks, number%len(b.tasks))
}

func (b *bench) followers(count int) []*client {
	clients := make([]*client, count)
	for number := range clients {
		clients[number] = b.follower(number, userViewer)
	}
	return clients
}

// only is the step of a full run with this disturbance.
func only(disturbance string) plan {
	p := full
	p.growth, p.callers, p.disturbance = []int{100}, 0, disturbance
	return p
}

// run plays all steps of a plan.
func (b *bench) run(ctx context.Context, p plan) (*results, error) {
	all := &results{plan: p}
	// A Java program is slow at what it has not done yet; one that has run for an hour is not.
	warmUp := &step{title: "warming up, not counted", clients: b.followers(min(warm, p.growth[len(p.growth)-1]))}
	if err := b.play(ctx, warmUp, p.window/2, nil); err != nil {
		return nil, err
	}
	for _, count := range p.growth {
		s := &step{title: fmt.Sprintf("%d clients", count), clients: b.followers(count)}
		if err := b.play(ctx, s, p.window, nil); err != nil {
			return nil, err
		}
		all.growth = append(all.growth, s)
	}
	if p.callers > 0 {
		s := &step{title: fmt.Sprintf("%d clients, each a user of its own", p.callers)}
		for number := range p.callers {
			s.clients = append(s.clients, b.follower(number, viewer(number)))
		}
		if err := b.play(ctx, s, p.window, nil); err != nil {
			return nil, err
		}
		all.growth = append(all.growth, s)
	}
	if p.clients == 0 {
		return all, nil
	}
	for _, disturbance := range []struct {
		name  string
		title string
		slow  int
		play  func(context.Context, *step) error
	}{
		{"slow", fmt.Sprintf("%d clients stop reading", p.slow), p.slow, b.slowClients},
		{"console", "the console is killed and started", 0, b.killConsole},
		{"nats", "NATS is stopped and started", 0, b.stopNats},
	} {
		if p.disturbance != "" && p.disturbance != disturbance.name {
			continue
		}
		s := &step{title: disturbance.title, clients: b.followers(p.clients - disturbance.slow)}
		for range disturbance.slow {
			all := make([]int, subscriptions)
			for place := range all {
				all[place] = place % len(b.tasks)
			}
			s.apart = append(s.apart, newClient(b.console.url(), userViewer, b.tasks, all...))
		}
		if err := b.play(ctx, s, p.window, disturbance.play); err != nil {
			return nil, err
		}
		all.disturbed = append(all.disturbed, s)
	}
	return all, nil
}

// slowClients read nothing until the console has dropped them, and then come back.
func (b *bench) slowClients(ctx context.Context, s *step) error {
	const dropped = "codeforge_live_dropped_clients_total"
	before, err := b.console.metric(dropped)
	if err != nil {
		return err
	}
	for _, c := range s.apart {
		c.stopReading()
	}
	begun := time.Now()
	if err := servers.Eventually(ctx, "the slow clients were dropped", patience, func() error {
		now, err := b.console.metric(dropped)
		if err == nil && now-before < float64(len(s.apart)) {
			err = fmt.Errorf("%.0f of %d are", now-before, len(s.apart))
		}
		return err
	}); err != nil {
		return err
	}
	s.note("The %d slow clients have %d subscriptions each; all were dropped %.1f s after they had stopped reading.",
		len(s.apart), subscriptions, time.Since(begun).Seconds())
	for _, c := range s.apart {
		c.readAgain()
	}
	return nil
}

const (
	// undisturbed is the beginning of a window, away how long a server is.
	undisturbed = 3 * time.Second
	away        = 2 * time.Second
)

func (b *bench) killConsole(ctx context.Context, s *step) error {
	servers.Pause(ctx, undisturbed)
	b.console.kill()
	killed := time.Now()
	servers.Pause(ctx, away)
	begun := time.Now()
	if err := b.console.start(ctx); err != nil {
		return err
	}
	s.note("The console was killed (SIGKILL), started again %.1f s later, and ready after %.1f s more.",
		begun.Sub(killed).Seconds(), time.Since(begun).Seconds())
	return nil
}

func (b *bench) stopNats(ctx context.Context, s *step) error {
	servers.Pause(ctx, undisturbed)
	b.nats.Stop()
	stopped := time.Now()
	servers.Pause(ctx, away)
	if err := b.nats.Start(); err != nil {
		return err
	}
	s.note("NATS was away for %.1f s.", time.Since(stopped).Seconds())
	return nil
}

func (s *step) note(format string, values ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, values...))
}
