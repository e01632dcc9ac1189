package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"

	"codeforge.dev/bench/servers"
)

const (
	creators = 8
	// settling is let pass before the settled minute begins.
	settling = 45 * time.Second
	minute   = time.Minute
	// reconciled counts the reconciles of tasks that have ended.
	reconciled = `operator_sdk_controllers_execution_reconcile_seconds_count{controller="agenttaskreconciler"`
)

// figures of one cell.
type figures struct {
	cell        cell
	made        time.Duration // from the first create until the last task has its phase
	heap        int64         // live after a full collection, bytes
	resident    int64
	apiRequests int // of the settled minute
	natsSent    int64
	cpu         time.Duration
	ready       time.Duration // from the start of a process until it leads and its caches are filled
	restarted   time.Duration // from the start of a process until the last task was reconciled
	stopped     time.Duration // from SIGTERM until the other operator has ended a new task
	killed      time.Duration // the same from SIGKILL
}

func (b *bench) measure(ctx context.Context, c cell) (*figures, error) {
	f := &figures{cell: c}
	for _, step := range []func(context.Context, *figures) error{b.create, b.settled, b.restart, b.takeovers} {
		if err := step(ctx, f); err != nil {
			return nil, err
		}
		if err := b.programs.Dead(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (b *bench) create(ctx context.Context, f *figures) error {
	if f.cell.kind == pending {
		if err := b.fill(ctx); err != nil {
			return err
		}
	}
	begun := time.Now()
	var all sync.WaitGroup
	failed := make(chan error, creators)
	for creator := range creators {
		all.Go(func() {
			for number := creator; number < f.cell.count; number += creators {
				if _, err := b.tasks().Create(ctx, f.cell.kind.task(fmt.Sprintf("task-%05d", number)), metav1.CreateOptions{}); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	if err := errors.Join(collect(failed)...); err != nil {
		return err
	}
	if err := servers.Eventually(ctx, "all tasks were "+string(f.cell.kind), 10*time.Minute, func() error { return b.allAre(ctx, f.cell) }); err != nil {
		return err
	}
	f.made = time.Since(begun)
	say("%s: after %.0f s", f.cell, f.made.Seconds())
	return nil
}

func collect(failed chan error) (all []error) {
	for err := range failed {
		all = append(all, err)
	}
	return all
}

// allAre is an error unless all tasks of the cell are there and have its phase.
func (b *bench) allAre(ctx context.Context, c cell) error {
	page := metav1.ListOptions{Limit: 500}
	seen := 0
	for {
		list, err := b.tasks().List(ctx, page)
		if err != nil {
			return err
		}
		for _, task := range list.Items {
			if task.GetName() == filler {
				continue
			}
			seen++
			if phase, _, _ := unstructured.NestedString(task.Object, "status", "phase"); phase != string(c.kind) {
				return fmt.Errorf("%s is %q", task.GetName(), phase)
			}
		}
		page.Continue = list.GetContinue()
		if page.Continue == "" {
			break
		}
	}
	if seen != c.count {
		return fmt.Errorf("there are %d", seen)
	}
	return nil
}

func (b *bench) settled(ctx context.Context, f *figures) error {
	leader := b.operators[0]
	if !servers.Pause(ctx, settling) {
		return ctx.Err()
	}
	since := time.Now()
	sentBefore, err := b.natsMessages()
	if err != nil {
		return err
	}
	before, err := leader.Usage()
	if err != nil {
		return err
	}
	if !servers.Pause(ctx, minute) {
		return ctx.Err()
	}
	after, err := leader.Usage()
	if err != nil {
		return err
	}
	sentAfter, err := b.natsMessages()
	if err != nil {
		return err
	}
	f.cpu, f.resident, f.natsSent = after.CPU-before.CPU, after.Resident, sentAfter-sentBefore
	if f.apiRequests, err = b.apiRequests(since, since.Add(minute)); err != nil {
		return err
	}
	f.heap, err = liveHeap(leader.PID())
	return err
}

// natsMessages counts what clients have sent; the operator is the only one.
func (b *bench) natsMessages() (int64, error) {
	response, err := http.Get(b.nats.MonitoringURL("/varz"))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var seen struct {
		InMsgs int64 `json:"in_msgs"`
	}
	err = json.NewDecoder(response.Body).Decode(&seen)
	return seen.InMsgs, err
}

// apiRequests counts the operator's; only its user is audited.
func (b *bench) apiRequests(from, to time.Time) (int, error) {
	requests, err := b.plane.APIRequests()
	count := 0
	for _, request := range requests {
		if request.Received.After(from) && request.Received.Before(to) {
			count++
		}
	}
	return count, err
}

// liveHeap is the last line of a histogram, which the JVM makes after a full collection.
func liveHeap(pid int) (int64, error) {
	java, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return 0, err
	}
	text, err := exec.Command(filepath.Join(filepath.Dir(java), "jcmd"), fmt.Sprint(pid), "GC.class_histogram").Output()
	if err != nil {
		return 0, fmt.Errorf("jcmd: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	columns := strings.Fields(lines[len(lines)-1])
	if len(columns) != 3 || columns[0] != "Total" {
		return 0, fmt.Errorf("the histogram ends with %q", lines[len(lines)-1])
	}
	return strconv.ParseInt(columns[2], 10, 64)
}

// restart stops the only operator and starts it again beside everything that is there.
func (b *bench) restart(ctx context.Context, f *figures) error {
	leader := b.operators[0]
	leader.Stop()
	begun := time.Now()
	if err := leader.Start(ctx); err != nil {
		return err
	}
	f.ready = time.Since(begun)
	err := servers.Eventually(ctx, "all tasks were reconciled after the restart", 5*time.Minute, func() error {
		count, err := leader.Metric(reconciled)
		if err == nil && int(count) < f.cell.count {
			err = fmt.Errorf("%.0f reconciles so far", count)
		}
		return err
	})
	f.restarted = time.Since(begun)
	say("%s: ready %.1f s after the start, the last reconciled after %.1f s", f.cell, f.ready.Seconds(), f.restarted.Seconds())
	return err
}

// takeovers ends the leader in two ways while the other operator stands by.
func (b *bench) takeovers(ctx context.Context, f *figures) error {
	first, second := b.operators[0], b.operators[1]
	if err := second.Start(ctx); err != nil {
		return err
	}
	var err error
	if f.stopped, err = b.takeover(ctx, "stopped", first.Stop); err != nil {
		return err
	}
	if err := first.Start(ctx); err != nil {
		return err
	}
	f.killed, err = b.takeover(ctx, "killed", second.Kill)
	return err
}

// takeover is the time from the leader's end until a task that is made at once has come to its end.
func (b *bench) takeover(ctx context.Context, name string, end func()) (time.Duration, error) {
	begun := time.Now()
	var ending sync.WaitGroup
	ending.Go(end)
	defer ending.Wait()
	// The leader gets no chance to end it: a stopping one takes no new task.
	servers.Pause(ctx, 100*time.Millisecond)
	if _, err := b.tasks().Create(ctx, finished.task(name), metav1.CreateOptions{}); err != nil {
		return 0, err
	}
	watched, err := b.tasks().Watch(ctx, metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()})
	if err != nil {
		return 0, err
	}
	defer watched.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(2 * time.Minute):
			return 0, fmt.Errorf("no operator took over within two minutes after the leader was %s", name)
		case event, open := <-watched.ResultChan():
			if !open {
				return 0, errors.New("the watch of the new task ended")
			}
			task, isTask := event.Object.(*unstructured.Unstructured)
			if !isTask {
				continue
			}
			if phase, _, _ := unstructured.NestedString(task.Object, "status", "phase"); phase == string(finished) {
				took := time.Since(begun)
				say("%s: taken over after %.1f s", name, took.Seconds())
				return took, nil
			}
		}
	}
}
