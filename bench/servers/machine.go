package servers

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// LoadAverage of the last minute: asked before the start, it tells whether others use the machine.
func LoadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// Machine is what the run was made on.
func Machine() string {
	cpu, memory := "", ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		cores := strings.Count(string(text), "\nprocessor") + 1
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				cpu = fmt.Sprintf("%d × %s", cores, strings.TrimSpace(value))
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kilobytes int
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kilobytes); err == nil {
			memory = fmt.Sprintf("%d GiB", kilobytes>>20)
		}
	}
	return fmt.Sprintf("%s, %s; %s", cpu, memory, time.Now().UTC().Format(time.DateOnly))
}
