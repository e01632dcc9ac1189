package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"codeforge.dev/bench/servers"
)

// promise is what an AgentTask's creation led to: seconds until the Deployment's size was written, from the creation and
// from the message's time in the stream.
type promise struct {
	title                   string
	fromCreation            []float64
	fromFirst, fromLast     []float64
	firstStep, messagesTook []float64
}

// warmUps are tasks on pools of their own that are not counted.
const warmUps = 10

// published creates AgentTasks, which the operator publishes itself: first one on an empty pool, then 49 beside a busy one.
func (b *bench) published(ctx context.Context, ones, fifties int) ([]*promise, error) {
	toOne := &promise{title: "0 → 1"}
	toFifty := &promise{title: "1 → 50"}
	fill := func(name string, repeats, most int, apart time.Duration, play func(*cell) error) error {
		var made []*cell
		for repeat := range repeats {
			cell, err := b.newCell(ctx, ours, name, repeat, most)
			if err != nil {
				return err
			}
			made = append(made, cell)
		}
		if err := each(made, func(c *cell) error { return b.await(ctx, c) }); err != nil {
			return err
		}
		for _, cell := range made {
			cell.opened = time.Now()
			if err := play(cell); err != nil {
				return err
			}
			servers.Pause(ctx, apart)
		}
		for _, cell := range made {
			b.close(ctx, cell)
		}
		return nil
	}
	// A Java program is slow at what it has not done yet; one that has run for an hour is not.
	if err := fill("warm-up-one", warmUps, 10, 300*time.Millisecond, func(c *cell) error {
		return b.grow(ctx, c, 1, 1, &promise{})
	}); err != nil {
		return nil, err
	}
	if err := fill("task-one", ones, 10, 1300*time.Millisecond, func(c *cell) error {
		return b.grow(ctx, c, 1, 1, toOne)
	}); err != nil {
		return nil, err
	}
	if err := fill("task-fifty", fifties, 50, 6*time.Second, func(c *cell) error {
		if err := b.grow(ctx, c, 1, 1, &promise{}); err != nil {
			return err
		}
		if err := servers.Eventually(ctx, c.namespace+" ran its first task", 30*time.Second, func() error {
			if c.record.started() == 0 {
				return fmt.Errorf("no worker has taken it")
			}
			return nil
		}); err != nil {
			return err
		}
		servers.Pause(ctx, 3*time.Second)
		return b.grow(ctx, c, 49, 50, toFifty)
	}); err != nil {
		return nil, err
	}
	return []*promise{toOne, toFifty}, nil
}

// grow creates so many tasks at once and notes when the Deployment had the size that they want.
func (b *bench) grow(ctx context.Context, c *cell, tasks, size int, into *promise) error {
	stream, err := c.js.Stream(ctx, c.stream)
	if err != nil {
		return err
	}
	before, err := stream.Info(ctx)
	if err != nil {
		return err
	}
	first := before.State.LastSeq + 1
	created := time.Now()
	if err := each(make([]struct{}, tasks), func(struct{}) error {
		task := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "codeforge.dev/v1alpha1", "kind": "AgentTask",
			"metadata": map[string]any{"generateName": "task-", "namespace": c.namespace},
			"spec":     map[string]any{"workerPoolRef": map[string]any{"name": "pool"}, "title": "bench", "prompt": `{"seconds":600}`},
		}}
		_, err := b.cluster.Dynamic.Resource(servers.AgentTasks).Namespace(c.namespace).Create(ctx, task, metav1.CreateOptions{})
		return err
	}); err != nil {
		return err
	}
	if err := servers.Eventually(ctx, fmt.Sprintf("%s had %d workers", c.namespace, size), 30*time.Second, func() error {
		if is := c.record.size(); is < size {
			return fmt.Errorf("it has %d", is)
		}
		return nil
	}); err != nil {
		return err
	}
	firstMessage, err := stream.GetMsg(ctx, first)
	if err != nil {
		return err
	}
	lastMessage, err := stream.GetMsg(ctx, first+uint64(tasks)-1)
	if err != nil {
		return err
	}
	changed, reached := c.record.growth(created, size)
	into.fromCreation = append(into.fromCreation, reached.Sub(created).Seconds())
	into.firstStep = append(into.firstStep, changed.Sub(firstMessage.Time).Seconds())
	into.fromFirst = append(into.fromFirst, reached.Sub(firstMessage.Time).Seconds())
	into.fromLast = append(into.fromLast, reached.Sub(lastMessage.Time).Seconds())
	into.messagesTook = append(into.messagesTook, lastMessage.Time.Sub(firstMessage.Time).Seconds())
	return nil
}

// growth is when the size changed first after a time, and when it was at least so many.
func (r *record) growth(since time.Time, size int) (changed, reached time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, change := range r.replicas {
		if change.at.Before(since) {
			continue
		}
		if changed.IsZero() {
			changed = change.at
		}
		if change.replicas >= size {
			return changed, change.at
		}
	}
	return changed, reached
}
