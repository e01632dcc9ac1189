package main

import (
	"fmt"
	"strings"
)

// results are all that a run has shown.
type results struct {
	machine  string
	versions []string
	minutes  float64
	cells    []*figures
}

func (r *results) tables() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", r.machine)
	for _, version := range r.versions {
		fmt.Fprintf(&out, "- %s\n", version)
	}
	fmt.Fprintf(&out, "\nThe run took %.1f minutes; each row is on servers of its own.\n", r.minutes)
	out.WriteString("\n### Memory, and a settled minute\n\n" +
		"| tasks | all so after, s | live heap, MiB | resident, MiB | requests to the API server | messages to NATS | processor, ms |\n" +
		"|---|---|---|---|---|---|---|\n")
	for _, f := range r.cells {
		fmt.Fprintf(&out, "| %s | %.0f | %s | %s | %d | %d | %d |\n", f.cell, f.made.Seconds(), mebibytes(f.heap), mebibytes(f.resident),
			f.apiRequests, f.natsSent, f.cpu.Milliseconds())
	}
	out.WriteString("\n### Start and takeover, s\n\n" +
		"| tasks | start → ready | start → all reconciled | takeover: clean stop | kill -9 |\n|---|---|---|---|---|\n")
	for _, f := range r.cells {
		fmt.Fprintf(&out, "| %s | %.1f | %.1f | %.1f | %.1f |\n", f.cell, f.ready.Seconds(), f.restarted.Seconds(),
			f.stopped.Seconds(), f.killed.Seconds())
	}
	return out.String()
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%.0f", float64(bytes)/(1<<20)) }
