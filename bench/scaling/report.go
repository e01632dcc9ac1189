package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"codeforge.dev/bench/servers"
)

// results are all that a run has shown.
type results struct {
	machine  string
	versions []string
	outcomes []*outcome
	promises []*promise
	requests []servers.APIRequest
	// perPool are requests to NATS a minute and pool, by system, while the mixed loads ran; bytes of the answers to KEDA.
	perPool map[string]float64
	bytes   map[string]float64
	minutes float64
}

// tables is the report's part that a program can write; the words around it stand in settings.md and reading.md.
func (r *results) tables() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", r.machine)
	for _, version := range r.versions {
		fmt.Fprintf(&out, "- %s\n", version)
	}
	fmt.Fprintf(&out, "\nThe run took %.0f minutes.\n", r.minutes)
	r.promiseTable(&out)
	for _, o := range r.outcomes {
		if o.load.repeats > 0 {
			r.repeatedTable(&out, o)
		}
	}
	for _, o := range r.outcomes {
		if o.load.repeats == 0 {
			r.loadTable(&out, o)
		}
	}
	r.requestTable(&out)
	return out.String()
}

func (r *results) promiseTable(out *strings.Builder) {
	out.WriteString("\n### Tasks that the operator publishes\n\n" +
		"AgentTasks made through the API, CodeForge only: it knows of its own messages at once. Milliseconds from a message's " +
		"time in the stream to the Deployment's `spec.replicas`, as a watch sees it.\n\n" +
		"| | repeats | p50 | p95 | max |\n|---|---|---|---|---|\n")
	row := func(title string, seconds []float64) {
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s |\n", title, len(seconds), millis(percentile(seconds, 50)),
			millis(percentile(seconds, 95)), millis(percentile(seconds, 100)))
	}
	for _, p := range r.promises {
		if p.title == "0 → 1" {
			row(p.title, p.fromLast)
			row(p.title+", from the AgentTask's creation", p.fromCreation)
			continue
		}
		row(p.title+", last message → 50", p.fromLast)
		row(p.title+", first message → first growth", p.firstStep)
		row(p.title+", first message → 50", p.fromFirst)
		row(p.title+", from the AgentTasks' creation", p.fromCreation)
		row("(the 49 messages took)", p.messagesTook)
	}
}

// repeatedTable tells how the repeats spread.
func (r *results) repeatedTable(out *strings.Builder, o *outcome) {
	fmt.Fprintf(out, "\n### %s\n\n%s; %d repeats, seconds from the publish.\n\n", o.load.title, sentence(o.load.about), o.load.repeats)
	out.WriteString("| | size wanted | → first growth p50 / p95 / max | → size wanted p50 / p95 / max | → first task starts p50 / p95 / max | → all have started p50 / p95 / max |\n|---|---|---|---|---|---|\n")
	for _, s := range o.load.systems {
		var growth, reached, first, all []float64
		for _, c := range o.of(s) {
			f := o.measure(c)
			growth, reached = append(growth, f.firstChange), append(reached, f.reached)
			first, all = append(first, f.firstStart), append(all, f.allStart)
		}
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s | %s |\n", s.title, s.wanted(o.load.atOnce, o.load.most),
			spread(growth, o.load.length), spread(reached, o.load.length), spread(first, o.load.length), spread(all, o.load.length))
	}
}

func (r *results) loadTable(out *strings.Builder, o *outcome) {
	fmt.Fprintf(out, "\n### %s\n\n%s.\n\n", o.load.title, sentence(o.load.about))
	out.WriteString("| | most workers | → first growth | → size wanted | → first start | → all started | makespan | " +
		"pod-seconds | idle | busy pods stopped | tasks cut off | work-seconds lost | redeliveries | reversals | API requests a minute |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range o.cells {
		f, watched := o.measure(c), c.ended.Sub(c.loadStart)
		makespan := number(f.makespan, watched)
		if f.undone > 0 {
			makespan = fmt.Sprintf("%d undone", f.undone)
		}
		reached := "–"
		if o.load.atOnce > 0 {
			reached = fmt.Sprintf("%s (%d)", number(f.reached, watched), c.system.wanted(o.load.atOnce, o.load.most))
		}
		fmt.Fprintf(out, "| %s | %d | %s | %s | %s | %s | %s | %.0f | %.0f | %d | %d | %.0f | %d | %d | %.0f |\n", c.system.title, f.most,
			number(f.firstChange, watched), reached, number(f.firstStart, watched), number(f.allStart, watched), makespan, f.podSeconds, f.idle,
			f.busyStops, f.cutOff, f.lost, f.redeliveries, f.reversals, requestsAMinute(r.requests, c))
	}
}

func (r *results) requestTable(out *strings.Builder) {
	out.WriteString("\n### Requests to NATS\n\nA minute and pool, while the mixed loads ran.\n\n" +
		"| | requests | bytes answered |\n|---|---|---|\n")
	fmt.Fprintf(out, "| %s | %.0f messages sent on its connection | – |\n", ours.title, r.perPool[ours.name])
	for _, s := range []system{kedaDefault, kedaTuned} {
		fmt.Fprintf(out, "| %s | %.0f of `/jsz` | %.0f |\n", s.title, r.perPool[s.name], r.bytes[s.name])
	}
	fmt.Fprintf(out, "\n### Requests to the API server that belong to no pool\n\nOver the whole run.\n\n| user | a minute |\n|---|---|\n")
	for _, user := range []string{userOperator, userKeda, userKedaAdapter, userHPA} {
		count := 0
		for _, request := range r.requests {
			if request.User.Username == user && request.ObjectRef.Namespace == "" {
				count++
			}
		}
		fmt.Fprintf(out, "| `%s` | %.0f |\n", user, float64(count)/r.minutes)
	}
}

func (o *outcome) of(s system) []*cell {
	var found []*cell
	for _, c := range o.cells {
		if c.system.name == s.name {
			found = append(found, c)
		}
	}
	return found
}

func (o *outcome) measure(c *cell) figures {
	wanted := 0
	if o.load.atOnce > 0 {
		wanted = c.system.wanted(o.load.atOnce, o.load.most)
	}
	return measure(c, len(o.load.before), wanted)
}

func spread(seconds []float64, watched time.Duration) string {
	return number(percentile(seconds, 50), watched) + " / " + number(percentile(seconds, 95), watched) + " / " +
		number(percentile(seconds, 100), watched)
}

// number of seconds; what did not come is known to have taken longer than it was watched.
func number(seconds float64, watched time.Duration) string {
	switch {
	case math.IsNaN(seconds):
		return fmt.Sprintf("> %.0f", watched.Seconds())
	case seconds < 10:
		return fmt.Sprintf("%.2f", seconds)
	default:
		return fmt.Sprintf("%.0f", seconds)
	}
}

func millis(seconds float64) string { return fmt.Sprintf("%.0f", seconds*1000) }

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
