package main

import "fmt"

// verdict is what became of the lines that clients were to get.
type verdict struct {
	lines   int // that they got
	missed  int // a later one came, this one did not
	doubled int // came again, or after a later one
	strange int // are none of the task's
	behind  int // had not come when nobody waited any more
}

func (v *verdict) add(other verdict) {
	v.lines += other.lines
	v.missed += other.missed
	v.doubled += other.doubled
	v.strange += other.strange
	v.behind += other.behind
}

func (v verdict) String() string {
	return fmt.Sprintf("%d missed, %d doubled, %d of no task, %d not there in time", v.missed, v.doubled, v.strange, v.behind)
}

func (v verdict) isGood() bool { return v.missed+v.doubled+v.strange == 0 }

// check compares what a subscription saw with what the stream has of its task, from its beginning to a sequence.
func check(lines []entry, seen []sight, began, bound uint64) verdict {
	v := verdict{lines: len(seen)}
	last := began
	for _, s := range seen {
		if s.sequence <= last {
			v.doubled++
			continue
		}
		skipped := between(lines, last, s.sequence)
		if len(skipped) == 0 || skipped[len(skipped)-1].sequence != s.sequence {
			v.strange++
			continue
		}
		v.missed += len(skipped) - 1
		last = s.sequence
	}
	v.behind = len(between(lines, last, bound))
	return v
}
