// Package servers starts what a benchmark measures, on 127.0.0.1: control plane, NATS and operator.
package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Processes are the programs of one run: what it starts it stops, and nothing else.
type Processes struct {
	Dir     string
	mu      sync.Mutex
	started []*Process
}

// Process is one of them; its output is in <dir>/<name>.log.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs a program with nothing of this environment but PATH.
func (p *Processes) Start(name string, env []string, program string, args ...string) (*Process, error) {
	log, err := os.OpenFile(filepath.Join(p.Dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.Dir}, env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: an interrupt from the terminal is ours to pass on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	started := &Process{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(started.done)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = append(p.started, started)
	return started, nil
}

// Stop asks it to end, kills it after the patience, and returns when it is gone.
func (p *Process) Stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Kill ends it at once, and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// PIDs are those of the programs that run, by name.
func (p *Processes) PIDs() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	running := map[string]int{}
	for _, process := range p.started {
		running[process.name] = process.cmd.Process.Pid
	}
	return running
}

// StopAll ends the last started first.
func (p *Processes) StopAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.started) - 1; i >= 0; i-- {
		p.started[i].Stop(2 * time.Second)
	}
}

// Dead names a program that ended by itself.
func (p *Processes) Dead() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, process := range p.started {
		select {
		case <-process.done:
			return fmt.Errorf("%s stopped; see %s", process.name, filepath.Join(p.Dir, process.name+".log"))
		default:
		}
	}
	return nil
}

// Forget takes a program that was stopped on purpose off the list.
func (p *Processes) Forget(stopped *Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, process := range p.started {
		if process == stopped {
			p.started = append(p.started[:i], p.started[i+1:]...)
			return
		}
	}
}

// FreePorts returns so many ports of 127.0.0.1 that nobody listens on.
func FreePorts(count int) ([]int, error) {
	found := make([]int, count)
	listeners := make([]net.Listener, 0, count)
	defer func() {
		for _, listener := range listeners {
			_ = listener.Close()
		}
	}()
	for i := range found {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
		found[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return found, nil
}

// Eventually asks until the answer is no error, and tells the last error when the time is over.
func Eventually(ctx context.Context, what string, patience time.Duration, ask func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s not within %s: %w", what, patience, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Pause waits; false when the run is over before.
func Pause(ctx context.Context, duration time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(duration):
		return true
	}
}
