package main

import "testing"

func stored(sequences ...uint64) []entry {
	lines := make([]entry, len(sequences))
	for i, sequence := range sequences {
		lines[i] = entry{sequence: sequence, number: int64(i + 1)}
	}
	return lines
}

func seen(sequences ...uint64) []sight {
	sights := make([]sight, len(sequences))
	for i, sequence := range sequences {
		sights[i] = sight{sequence: sequence}
	}
	return sights
}

func TestEveryKindOfFaultIsCounted(t *testing.T) {
	lines := stored(3, 5, 8, 9, 12)
	for name, c := range map[string]struct {
		seen []sight
		want verdict
	}{
		"all of them":         {seen(5, 8, 9, 12), verdict{lines: 4}},
		"one is missed":       {seen(5, 9, 12), verdict{lines: 3, missed: 1}},
		"the first is missed": {seen(8, 9, 12), verdict{lines: 3, missed: 1}},
		"one comes twice":     {seen(5, 8, 8, 9, 12), verdict{lines: 5, doubled: 1}},
		"one comes late":      {seen(5, 9, 8, 12), verdict{lines: 4, missed: 1, doubled: 1}},
		"one of before":       {seen(3, 5, 8, 9, 12), verdict{lines: 5, doubled: 1}},
		"one of another task": {seen(5, 7, 8, 9, 12), verdict{lines: 5, strange: 1}},
		"the end is missing":  {seen(5, 8), verdict{lines: 2, behind: 2}},
		"nothing came":        {nil, verdict{behind: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			got := check(lines, c.seen, 3, 12)
			if (got.first == "") != got.isGood() {
				t.Errorf("the first fault of %s is %q", got, got.first)
			}
			got.first = ""
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestLinesAfterTheBoundAreNotWaitedFor(t *testing.T) {
	if got, want := check(stored(3, 5, 8, 9), seen(5, 8, 9), 3, 8), (verdict{lines: 3}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := check(stored(3, 5, 8, 9), seen(5, 8), 3, 8), (verdict{lines: 2}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
