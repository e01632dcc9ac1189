package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"codeforge.dev/bench/servers"
)

// outcome is a load with the cells that it was played on, all closed.
type outcome struct {
	load  load
	cells []*cell
}

// each runs f on all and returns the first errors.
func each[T any](items []T, f func(T) error) error {
	var group sync.WaitGroup
	problems := make([]error, len(items))
	for i, item := range items {
		group.Go(func() { problems[i] = f(item) })
	}
	group.Wait()
	return errors.Join(problems...)
}

// phase plays loads side by side and returns when all are over.
func (b *bench) phase(ctx context.Context, loads []load) ([]*outcome, error) {
	outcomes := make([]*outcome, 0, len(loads))
	var all []*cell
	for _, l := range loads {
		o := &outcome{load: l}
		for _, repeat := range l.repeatNumbers() {
			for _, s := range l.systems {
				cell, err := b.newCell(ctx, s, l.name, repeat, l.most)
				if err != nil {
					return nil, err
				}
				o.cells = append(o.cells, cell)
			}
		}
		outcomes, all = append(outcomes, o), append(all, o.cells...)
	}
	if err := each(all, func(c *cell) error { return b.await(ctx, c) }); err != nil {
		return nil, err
	}
	now := time.Now()
	for _, cell := range all {
		cell.opened = now
	}
	return outcomes, each(outcomes, func(o *outcome) error { return b.play(ctx, o) })
}

func (l load) repeatNumbers() []int {
	if l.repeats == 0 {
		return []int{-1}
	}
	numbers := make([]int, l.repeats)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func (b *bench) play(ctx context.Context, o *outcome) error {
	l := o.load
	if err := each(o.cells, func(c *cell) error { return c.begin(ctx, l.before) }); err != nil {
		return err
	}
	if !servers.Pause(ctx, l.after) {
		return ctx.Err()
	}
	fmt.Fprintf(os.Stderr, "%s  %s: %s\n", time.Now().Format(time.TimeOnly), l.title, l.about)
	if l.outage > 0 {
		go b.interrupt(ctx, l)
	}
	return each(l.repeatNumbers(), func(repeat int) error {
		if repeat > 0 && !servers.Pause(ctx, time.Duration(repeat)*l.apart) {
			return ctx.Err()
		}
		first := max(repeat, 0) * len(l.systems)
		together := o.cells[first : first+len(l.systems)]
		start := time.Now()
		err := each(together, func(c *cell) error { return c.send(ctx, l, start) })
		b.watch(ctx, together, start.Add(l.length))
		for _, cell := range together {
			b.close(ctx, cell)
		}
		return err
	})
}

// begin puts the tasks on the queue that are to be run when the load starts, and waits until they are.
func (c *cell) begin(ctx context.Context, before []work) error {
	if len(before) == 0 {
		return nil
	}
	if err := c.publish(ctx, before...); err != nil {
		return err
	}
	if err := servers.Eventually(ctx, c.namespace+" ran what was before", 90*time.Second, func() error {
		if started := c.record.started(); started < len(before) {
			return fmt.Errorf("%d are run", started)
		}
		return nil
	}); err != nil {
		return err
	}
	servers.Pause(ctx, 5*time.Second)
	return nil
}

func (c *cell) send(ctx context.Context, l load, start time.Time) error {
	c.loadStart = start
	for _, step := range l.steps {
		if !servers.Pause(ctx, time.Until(start.Add(step.at))) {
			return ctx.Err()
		}
		if err := c.publish(ctx, step.tasks...); err != nil {
			return fmt.Errorf("%s: %w", c.namespace, err)
		}
	}
	return nil
}

// watch returns when every cell is done and without workers, or at the deadline.
func (b *bench) watch(ctx context.Context, together []*cell, deadline time.Time) {
	for time.Now().Before(deadline) && servers.Pause(ctx, 500*time.Millisecond) {
		quiet := true
		for _, cell := range together {
			quiet = quiet && cell.record.settled() && cell.record.size() == 0
		}
		if quiet {
			return
		}
	}
}

// interrupt stops NATS for a while.
func (b *bench) interrupt(ctx context.Context, l load) {
	if !servers.Pause(ctx, l.outageAt) {
		return
	}
	b.nats.Stop()
	servers.Pause(ctx, l.outage)
	if err := b.nats.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "NATS did not start again:", err)
	}
}
