package main

import "fmt"

// verdict is what became of the lines that clients were to get.
type verdict struct {
	lines   int    // that they got
	missed  int    // a later one came, this one did not
	doubled int    // came again, or after a later one
	strange int    // are none of the task's
	behind  int    // had not come when nobody waited any more
	first   string // where the first fault is
}

func (v *verdict) add(other verdict) {
	v.lines += other.lines
	v.missed += other.missed
	v.doubled += other.doubled
	v.strange += other.strange
	v.behind += other.behind
	if v.first == "" {
		v.first = other.first
	}
}

func (v verdict) String() string {
	return fmt.Sprintf("%d missed, %d doubled, %d of no task, %d not there in time", v.missed, v.doubled, v.strange, v.behind)
}

func (v verdict) isGood() bool { return v.missed+v.doubled+v.strange == 0 }

// check compares what a subscription saw with what the stream has of its task, from its beginning to a sequence.
func check(lines []entry, seen []sight, began, bound uint64) verdict {
	v := verdict{lines: len(seen)}
	last := began
	fault := func(count *int, by, place int) {
		if *count += by; by > 0 && v.first == "" {
			v.first = fmt.Sprintf("of %d lines after %d, number %d is %d, connection %d, behind %d", len(seen), began, place, seen[place].sequence,
				seen[place].connection, last)
		}
	}
	for place, s := range seen {
		if s.sequence <= last {
			fault(&v.doubled, 1, place)
			continue
		}
		skipped := between(lines, last, s.sequence)
		if len(skipped) == 0 || skipped[len(skipped)-1].sequence != s.sequence {
			fault(&v.strange, 1, place)
			continue
		}
		fault(&v.missed, len(skipped)-1, place)
		last = s.sequence
	}
	v.behind = len(between(lines, last, bound))
	return v
}
