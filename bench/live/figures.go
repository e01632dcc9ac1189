package main

import (
	"math"
	"slices"
	"time"
)

// spread of many times, by the nearest rank.
type spread struct {
	count              int
	p50, p95, p99, max time.Duration
}

// spreadOf sorts what it is given.
func spreadOf(times []int64) spread {
	if len(times) == 0 {
		return spread{}
	}
	slices.Sort(times)
	rank := func(percent float64) time.Duration {
		return time.Duration(times[max(0, int(math.Ceil(percent/100*float64(len(times))))-1)])
	}
	return spread{len(times), rank(50), rank(95), rank(99), rank(100)}
}

// figures are of the window of a step.
type figures struct {
	lines  float64 // a second, that came into LOGS
	wanted float64 // messages a second: each of those lines for each of its clients
	got    float64 // messages a second that clients received
	// storing is from a line's writing until it was in LOGS, delay until a client had it; ending is delay in the last quarter.
	storing, delay, ending spread
	// silence is the longest time without a message, of each client.
	silence spread
}

func (s *step) measure(truth [][]entry) figures {
	var f figures
	seconds := s.to.Sub(s.from).Seconds()
	stored := make([]int, len(truth))
	var storing []int64
	for task, lines := range truth {
		within := storedBetween(lines, s.from, s.to)
		stored[task] = len(within)
		f.lines += float64(len(within)) / seconds
		for _, line := range within {
			if line.written > 0 {
				storing = append(storing, line.stored-line.written)
			}
		}
	}
	f.storing = spreadOf(storing)
	quarter := s.to.Add(-s.to.Sub(s.from) / 4).UnixNano()
	var delays, endings, silences []int64
	for _, c := range s.clients {
		for _, follow := range c.follows {
			f.wanted += float64(stored[follow.task]) / seconds
			last, longest := s.from.UnixNano(), int64(0)
			for _, seen := range follow.seen {
				if seen.at < s.from.UnixNano() || seen.at > s.to.UnixNano() {
					continue
				}
				f.got += 1 / seconds
				longest, last = max(longest, seen.at-last), seen.at
				if seen.delay < 0 {
					continue
				}
				delays = append(delays, seen.delay)
				if seen.at > quarter {
					endings = append(endings, seen.delay)
				}
			}
			silences = append(silences, max(longest, s.to.UnixNano()-last))
		}
	}
	f.delay, f.ending, f.silence = spreadOf(delays), spreadOf(endings), spreadOf(silences)
	return f
}
