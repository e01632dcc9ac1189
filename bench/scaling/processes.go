package main

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

// processes are the programs of one run: what it starts it stops, and nothing else.
type processes struct {
	dir     string
	mu      sync.Mutex
	started []*process
}

// process is one of them; its output is in <dir>/<name>.log.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// start runs a program with nothing of this environment but PATH.
func (p *processes) start(name string, env []string, program string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(p.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir}, env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: an interrupt from the terminal is ours to pass on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	started := &process{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(started.done)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = append(p.started, started)
	return started, nil
}

// stop asks it to end, kills it after the patience, and returns when it is gone.
func (p *process) stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// stopAll ends the last started first.
func (p *processes) stopAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.started) - 1; i >= 0; i-- {
		p.started[i].stop(2 * time.Second)
	}
}

// dead names a program that ended by itself.
func (p *processes) dead() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, process := range p.started {
		select {
		case <-process.done:
			return fmt.Errorf("%s stopped; see %s", process.name, filepath.Join(p.dir, process.name+".log"))
		default:
		}
	}
	return nil
}

// forget takes a program that was stopped on purpose off the list.
func (p *processes) forget(stopped *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, process := range p.started {
		if process == stopped {
			p.started = append(p.started[:i], p.started[i+1:]...)
			return
		}
	}
}

// ports returns so many ports of 127.0.0.1 that nobody listens on.
func ports(count int) ([]int, error) {
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

// eventually asks until the answer is no error, and tells the last error when the time is over.
func eventually(ctx context.Context, what string, patience time.Duration, ask func() error) error {
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
