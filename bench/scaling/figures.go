package main

import (
	"math"
	"slices"
	"time"
)

// figures are what a cell showed; seconds, NaN for what did not come.
type figures struct {
	// firstChange and reached are from the load's start to the Deployment's first growth, and to the size that the
	// system's own setting gives the load.
	firstChange, reached float64
	firstStart, allStart float64
	makespan             float64
	podSeconds, idle     float64
	most                 int
	busyStops, cutOff    int
	lost                 float64
	redeliveries         int
	reversals            int
	undone               int
}

// measure reads a closed cell. before is how many tasks were there before the load, wanted the size it asks for, 0 when
// that is no one number.
func measure(c *cell, before, wanted int) figures {
	r := c.record
	r.mu.Lock()
	defer r.mu.Unlock()
	f := figures{
		firstChange: math.NaN(), reached: math.NaN(), lost: r.lost.Seconds(),
		busyStops: r.busyStops, cutOff: r.cutOff, redeliveries: r.redeliveries,
	}
	f.sizes(r.replicas, c.loadStart, wanted)
	f.taskTimes(r.tasks, c.loadStart, before)
	busy := 0.0
	for _, task := range r.tasks {
		for _, run := range task.runs {
			busy += overlap(run.start, run.end, c.loadStart, c.ended)
		}
	}
	for _, pod := range r.pods {
		f.podSeconds += overlap(pod.bound, pod.gone, c.loadStart, c.ended)
	}
	f.idle = f.podSeconds - busy
	return f
}

func (f *figures) sizes(changes []change, start time.Time, wanted int) {
	baseline, direction := 0, 0
	previous := 0
	for _, change := range changes {
		if change.at.Before(start) {
			baseline, previous = change.replicas, change.replicas
			continue
		}
		f.most = max(f.most, change.replicas)
		since := change.at.Sub(start).Seconds()
		if math.IsNaN(f.firstChange) && change.replicas > baseline {
			f.firstChange = since
		}
		if math.IsNaN(f.reached) && wanted > 0 && change.replicas >= wanted {
			f.reached = since
		}
		turn := sign(change.replicas - previous)
		if direction != 0 && turn != direction {
			f.reversals++
		}
		direction, previous = turn, change.replicas
	}
}

func sign(number int) int {
	if number < 0 {
		return -1
	}
	return 1
}

func (f *figures) taskTimes(tasks map[uint64]*taskLife, start time.Time, before int) {
	f.firstStart, f.allStart, f.makespan = math.Inf(1), 0, 0
	for sequence, task := range tasks {
		if sequence <= uint64(before) {
			continue
		}
		if len(task.runs) == 0 {
			f.allStart = math.NaN()
		} else {
			started := task.runs[0].start.Sub(start).Seconds()
			f.firstStart, f.allStart = min(f.firstStart, started), max(f.allStart, started)
		}
		if task.done.IsZero() {
			f.undone++
			f.makespan = math.NaN()
		} else {
			f.makespan = max(f.makespan, task.done.Sub(start).Seconds())
		}
	}
	if math.IsInf(f.firstStart, 1) {
		f.firstStart = math.NaN()
	}
}

// overlap is how many seconds of a span lie within another; an open span reaches to the end.
func overlap(from, to, start, end time.Time) float64 {
	if to.IsZero() || to.After(end) {
		to = end
	}
	if from.Before(start) {
		from = start
	}
	return max(0, to.Sub(from).Seconds())
}

// demand is how many tasks were published and not done, as it changed.
func demand(c *cell) []change {
	r := c.record
	r.mu.Lock()
	defer r.mu.Unlock()
	var steps []change
	for _, task := range r.tasks {
		if task.published.IsZero() {
			continue
		}
		steps = append(steps, change{task.published, 1})
		if !task.done.IsZero() {
			steps = append(steps, change{task.done, -1})
		}
	}
	slices.SortFunc(steps, func(a, b change) int { return a.at.Compare(b.at) })
	total := 0
	for i := range steps {
		total += steps[i].replicas
		steps[i].replicas = total
	}
	return steps
}

// percentile of values by the nearest rank; NaN counts as larger than all.
func percentile(values []float64, percent float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, func(a, b float64) int {
		switch {
		case math.IsNaN(a) && math.IsNaN(b):
			return 0
		case math.IsNaN(a), a > b:
			return 1
		default:
			return -1
		}
	})
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
