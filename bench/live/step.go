package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"codeforge.dev/bench/servers"
)

const (
	// dialing are the clients that connect at the same time.
	dialing = 50
	// patience is how long what was written within a step may take to come to its clients.
	patience = 60 * time.Second
	// opening is how long a client may wait until it is synced: those that are there already take the cores from it.
	opening = 4 * time.Minute
)

// step is a number of clients for a time, and what was seen of them.
type step struct {
	title     string
	followers int // how many clients it had
	clients   []*client
	apart     []*client // clients that are checked, and not in the figures of delay
	// opened is how long it took until all were synced.
	opened        time.Duration
	from, to      time.Time
	bound         uint64 // the last sequence of LOGS at its end
	before, after map[string]servers.Usage
	pids          [2]map[string]int
	heap          float64
	verdict       verdict
	lost          int
	figures
	closes map[int]int
	notes  []string
}

func (s *step) all() []*client { return append(append([]*client{}, s.clients...), s.apart...) }

// play connects the clients, notes a time in which something may happen, and waits until they have what was written in it.
func (b *bench) play(ctx context.Context, s *step, window time.Duration, during func(context.Context, *step) error) error {
	say("%s", s.title)
	running, stop := context.WithCancel(ctx)
	defer stop()
	if err := s.open(ctx, running); err != nil {
		return err
	}
	servers.Pause(ctx, 2*time.Second)
	if err := b.note(&s.before, &s.pids[0]); err != nil {
		return err
	}
	s.from = time.Now()
	if during != nil {
		if err := during(ctx, s); err != nil {
			return err
		}
	}
	// As long again after what happened, however long that took.
	servers.Pause(ctx, window)
	s.to = time.Now()
	if err := b.note(&s.after, &s.pids[1]); err != nil {
		return err
	}
	var err error
	if s.heap, err = b.console.metric(`jvm_memory_used_bytes{area="heap"`); err != nil {
		return err
	}
	if err := b.awaitLines(ctx, s); err != nil {
		return err
	}
	stop()
	for _, c := range s.all() {
		<-c.ended
		if c.failed != nil {
			return c.failed
		}
	}
	// The clients have seen lines that came after the step.
	if err := b.truth.read(ctx); err != nil {
		return err
	}
	s.judge(b.truth.lines)
	say("  %d messages, delay p50 %s, p95 %s; %s", s.verdict.lines, s.delay.at(s.delay.p50), s.delay.at(s.delay.p95), s.verdict)
	if s.verdict.first != "" {
		say("  the first fault: %s", s.verdict.first)
	}
	return b.programs.Dead()
}

func (b *bench) note(into *map[string]servers.Usage, pids *map[string]int) error {
	*pids = b.programs.PIDs()
	var err error
	*into, err = usages(*pids)
	return err
}

// open returns when every client has been synced, or one is not in time.
func (s *step) open(ctx, running context.Context) error {
	begun := time.Now()
	starting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	slots := make(chan struct{}, dialing)
	var group sync.WaitGroup
	for _, c := range s.all() {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			go c.run(running)
			select {
			case <-c.opened:
			case <-c.ended: // it has failed, and says why
			case <-starting.Done():
			case <-time.After(opening):
				giveUp(fmt.Errorf("a client was not synced within %s", opening))
			}
		})
	}
	group.Wait()
	s.opened = time.Since(begun)
	return context.Cause(starting)
}

// awaitLines returns when each client has the last line that its tasks had, or patience is over: the check tells then.
func (b *bench) awaitLines(ctx context.Context, s *step) error {
	stream, err := b.js.Stream(ctx, logs)
	if err != nil {
		return err
	}
	s.bound = stream.CachedInfo().State.LastSeq
	lasts := make([]uint64, len(b.uids))
	for task, uid := range b.uids {
		message, err := stream.GetLastMsgForSubject(ctx, fmt.Sprintf("logs.%s.%s.%s", namespace, pool, uid))
		if err != nil {
			return err
		}
		lasts[task] = min(message.Sequence, s.bound)
	}
	end := time.Now().Add(patience)
	for _, c := range s.all() {
		for _, f := range c.follows {
			for f.last.Load() < lasts[f.task] && time.Now().Before(end) && servers.Pause(ctx, 50*time.Millisecond) {
			}
		}
	}
	return ctx.Err()
}

// judge compares what the clients saw with what the stream has.
func (s *step) judge(truth [][]entry) {
	for _, c := range s.all() {
		for _, f := range c.follows {
			s.verdict.add(check(truth[f.task], f.seen, uint64(f.began.Load()), s.bound))
		}
	}
	for _, lines := range truth {
		s.lost += lost(lines, s.from, s.to)
	}
	s.figures = s.measure(truth)
	s.closes = closes(s.all())
	// The next step's clients see as much.
	s.followers, s.clients, s.apart = len(s.clients), nil, nil
}

// cores is how many processors a program had on average; negative when it was started anew meanwhile.
func (s *step) cores(names ...string) float64 {
	sum := 0.0
	for _, name := range names {
		if s.pids[0][name] != s.pids[1][name] {
			return -1
		}
		sum += (s.after[name].CPU - s.before[name].CPU).Seconds()
	}
	return sum / s.to.Sub(s.from).Seconds()
}

// closes counts why connections ended.
func closes(clients []*client) map[int]int {
	counts := map[int]int{}
	for _, c := range clients {
		for _, code := range c.closes {
			counts[int(code)]++
		}
	}
	return counts
}
