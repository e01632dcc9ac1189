package main

import (
	"sync"
	"time"
)

// change is a Deployment's size from a time on, as a watch saw it.
type change struct {
	at       time.Time
	replicas int
}

// podLife is a pod from its binding to its end; zero times have not come.
type podLife struct {
	bound, gone time.Time
}

// run is one delivery of a task to a worker; an open one has no end.
type run struct {
	start, end time.Time
	done       bool
}

// taskLife is a message of the load, by its place in the stream.
type taskLife struct {
	published time.Time
	runs      []run
	done      time.Time
}

// record is what was seen of one cell; all methods may be called at the same time.
type record struct {
	mu           sync.Mutex
	closed       bool
	replicas     []change
	pods         map[string]*podLife
	tasks        map[uint64]*taskLife
	busyStops    int
	cutOff       int
	lost         time.Duration
	redeliveries int
	published    int
}

func newRecord() *record {
	return &record{pods: map[string]*podLife{}, tasks: map[uint64]*taskLife{}}
}

// do runs f under the lock unless the record is closed.
func (r *record) do(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		f()
	}
}

// close ends the record: what happens while a cell is taken down is not its load's.
func (r *record) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

func (r *record) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *record) sized(replicas int) {
	r.do(func() {
		if last := len(r.replicas) - 1; last < 0 || r.replicas[last].replicas != replicas {
			r.replicas = append(r.replicas, change{time.Now(), replicas})
		}
	})
}

func (r *record) podBound(name string) { r.do(func() { r.pods[name] = &podLife{bound: time.Now()} }) }

func (r *record) podGone(name string) {
	r.do(func() {
		if pod, known := r.pods[name]; known {
			pod.gone = time.Now()
		}
	})
}

// task finds or makes the entry: a worker may be faster than the publisher's acknowledgement.
func (r *record) task(sequence uint64) *taskLife {
	task, known := r.tasks[sequence]
	if !known {
		task = &taskLife{}
		r.tasks[sequence] = task
	}
	return task
}

func (r *record) taskPublished(sequence uint64, at time.Time) {
	r.do(func() { r.task(sequence).published = at; r.published++ })
}

func (r *record) taskStarted(sequence uint64, deliveries uint64) {
	r.do(func() {
		task := r.task(sequence)
		task.runs = append(task.runs, run{start: time.Now()})
		if deliveries > 1 {
			r.redeliveries++
		}
	})
}

// taskEnded closes the run in hand: done for good, given back, or cut off with its work lost.
func (r *record) taskEnded(sequence uint64, end ending) {
	r.do(func() {
		task := r.task(sequence)
		last := &task.runs[len(task.runs)-1]
		last.end, last.done = time.Now(), end == acknowledged
		switch end {
		case acknowledged:
			task.done = last.end
		case cutOff:
			r.cutOff++
			r.lost += last.end.Sub(last.start)
		case givenBack:
		}
	})
}

func (r *record) stoppedBusy() { r.do(func() { r.busyStops++ }) }

// settled tells whether every message has been done.
func (r *record) settled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, task := range r.tasks {
		if task.done.IsZero() {
			return false
		}
	}
	return true
}

func (r *record) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.replicas) == 0 {
		return -1
	}
	return r.replicas[len(r.replicas)-1].replicas
}

// started counts the tasks that a worker has taken.
func (r *record) started() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for _, task := range r.tasks {
		if len(task.runs) > 0 {
			count++
		}
	}
	return count
}
