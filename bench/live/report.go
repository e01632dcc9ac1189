package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// results are all that a run has shown.
type results struct {
	plan              plan
	machine           string
	versions          []string
	minutes           float64
	growth, disturbed []*step
}

func (r *results) steps() []*step { return append(append([]*step{}, r.growth...), r.disturbed...) }

// verdict is an error unless every client got every line once.
func (r *results) verdict() error {
	var problems []error
	for _, s := range r.steps() {
		if !s.verdict.isGood() {
			problems = append(problems, fmt.Errorf("%s: %s", s.title, s.verdict))
		}
	}
	// A step of growth may have too many clients for the machine; who was cut off has to be back.
	for _, s := range r.disturbed {
		if s.verdict.behind > 0 {
			problems = append(problems, fmt.Errorf("%s: %s after %s", s.title, s.verdict, patience))
		}
	}
	return errors.Join(problems...)
}

func (r *results) tables() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", r.machine)
	for _, version := range r.versions {
		fmt.Fprintf(&out, "- %s\n", version)
	}
	fmt.Fprintf(&out, "\nThe run took %.1f minutes: %d tasks, %s a step, and as long after what happens in one.\n", r.minutes, r.plan.tasks, r.plan.window)
	r.delayTable(&out)
	r.costTable(&out)
	r.disturbedTable(&out)
	r.checkTable(&out)
	return out.String()
}

func (r *results) delayTable(out *strings.Builder) {
	out.WriteString("\n### Delay\n\nMilliseconds from the worker's write to the client.\n\n" +
		"| | lines a second | messages a second: wanted | received | p50 | p95 | p99 | max | last quarter: p50 | p95 | write → LOGS: p50 | p95 |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range r.growth {
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %.0f | %s | %s | %s | %s | %s | %s | %s | %s |\n", s.title, s.lines, s.wanted, s.got,
			s.delay.at(s.delay.p50), s.delay.at(s.delay.p95), s.delay.at(s.delay.p99), s.delay.at(s.delay.max),
			s.ending.at(s.ending.p50), s.ending.at(s.ending.p95), s.storing.at(s.storing.p50), s.storing.at(s.storing.p95))
	}
}

func (r *results) costTable(out *strings.Builder) {
	out.WriteString("\n### Processor and memory\n\nCores used on average; MiB at the end of the step.\n\n" +
		"| | console | its memory | its heap | NATS | worker | clients | API server, etcd, operator | all clients synced after |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range r.growth {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s | %.1f s |\n", s.title, cores(s, nameConsole),
			mebibytes(float64(s.after[nameConsole].Resident)), mebibytes(s.heap), cores(s, "nats-server"), cores(s, nameWorker),
			cores(s, self), cores(s, "kube-apiserver", "etcd", "codeforge-operator"), s.opened.Seconds())
	}
}

func (r *results) disturbedTable(out *strings.Builder) {
	if len(r.disturbed) == 0 {
		return
	}
	fmt.Fprintf(out, "\n### When something happens, at %d clients\n\nDelay in milliseconds; of the slow clients' step without theirs.\n\n"+
		"| | messages a second received | p50 | p95 | max | last quarter: p50 | p95 | longest time without a message: p50 | max |\n"+
		"|---|---|---|---|---|---|---|---|---|\n", r.plan.clients)
	for _, s := range r.disturbed {
		fmt.Fprintf(out, "| %s | %.0f | %s | %s | %s | %s | %s | %.1f s | %.1f s |\n", s.title, s.got,
			s.delay.at(s.delay.p50), s.delay.at(s.delay.p95), s.delay.at(s.delay.max), s.ending.at(s.ending.p50), s.ending.at(s.ending.p95),
			s.silence.p50.Seconds(), s.silence.max.Seconds())
	}
	out.WriteString("\n")
	for _, s := range r.disturbed {
		for _, note := range s.notes {
			fmt.Fprintf(out, "- %s\n", note)
		}
	}
}

func (r *results) checkTable(out *strings.Builder) {
	fmt.Fprintf(out, "\n### Every line once\n\n"+
		"| | received | missed | doubled | of no task | not there %s later | the worker's lines that LOGS has not | connections ended |\n"+
		"|---|---|---|---|---|---|---|---|\n", patience)
	for _, s := range r.steps() {
		v := s.verdict
		fmt.Fprintf(out, "| %s | %d | %d | %d | %d | %d | %d | %s |\n", s.title, v.lines, v.missed, v.doubled, v.strange, v.behind,
			s.lost, endings(s.closes))
	}
}

// endings tells how many connections the server ended with which code; -1 is none at all.
func endings(closes map[int]int) string {
	if len(closes) == 0 {
		return "0"
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(closes)) {
		if code < 0 {
			parts = append(parts, fmt.Sprintf("%d cut or refused", closes[code]))
		} else {
			parts = append(parts, fmt.Sprintf("%d with %d", closes[code], code))
		}
	}
	return strings.Join(parts, ", ")
}

// at is one of the spread's times in milliseconds; of none at all there is none.
func (s spread) at(d time.Duration) string {
	if s.count == 0 {
		return "–"
	}
	if ms := float64(d) / float64(time.Millisecond); ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprint(d.Milliseconds())
}

func mebibytes(bytes float64) string { return fmt.Sprintf("%.0f", bytes/(1<<20)) }

func cores(s *step, names ...string) string {
	used := s.cores(names...)
	if used < 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", used)
}
