package servers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks a second, in which Linux counts the time of processors for programs.
const ticks = 100

// Usage is what a process has taken so far: processor time, and memory of now.
type Usage struct {
	CPU      time.Duration
	Resident int64
}

// UsageOf reads it from the kernel.
func UsageOf(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	// The name, in parentheses, may have spaces.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return Usage{}, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	spent := int64(0)
	for _, field := range fields[11:13] {
		count, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Usage{}, err
		}
		spent += count
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return Usage{}, err
	}
	return Usage{time.Duration(spent) * time.Second / ticks, pages * int64(os.Getpagesize())}, nil
}
