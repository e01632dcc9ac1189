package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// lease is a worker's promise to take nothing for a while; only the worker's own goroutine touches it.
type lease struct {
	until     time.Time
	idleSince time.Time
}

func (l *lease) rest(now time.Time) time.Duration { return l.until.Sub(now) }

// pulling is a request for a message that is not answered yet.
type pulling struct {
	worker       *worker
	subscription *nats.Subscription
	arrived      chan *nats.Msg
}

// end takes the request back; a message that the server sent before it knew is returned.
func (p *pulling) end() *nats.Msg {
	_ = p.subscription.Drain()
	_ = p.worker.cell.nats.FlushTimeout(time.Second)
	for {
		select {
		case message := <-p.arrived:
			if isTask(message) {
				p.worker.setBusy(true)
				return message
			}
		default:
			return nil
		}
	}
}

type question struct {
	Action       string `json:"action"`
	LeaseSeconds int    `json:"leaseSeconds"`
}

type answer struct {
	Worker      string  `json:"worker"`
	Idle        bool    `json:"idle"`
	Draining    bool    `json:"draining"`
	IdleSeconds float64 `json:"idleSeconds"`
	Error       string  `json:"error,omitempty"`
}

func read(message *nats.Msg) (question, error) {
	var asked question
	if err := json.Unmarshal(message.Data, &asked); err != nil {
		return asked, fmt.Errorf("the request is not JSON: %w", err)
	}
	switch {
	case asked.Action == "look" || asked.Action == "resume":
		return asked, nil
	case asked.Action != "drain":
		return asked, fmt.Errorf("no action is called '%s'", asked.Action)
	case asked.LeaseSeconds < 1 || asked.LeaseSeconds > 600:
		return asked, fmt.Errorf("leaseSeconds is %d, not 1 to 600", asked.LeaseSeconds)
	}
	return asked, nil
}

// answerBusy: a worker with a task in hand goes on whatever is asked.
func (w *worker) answerBusy(message *nats.Msg) {
	told := answer{Worker: w.pod, Draining: w.told()}
	if _, err := read(message); err != nil {
		told.Error = err.Error()
	}
	w.send(message, told)
}

// answerIdle answers for a worker without a task. A message that comes in between is returned to be run; p is nil while
// nothing is asked for.
func (w *worker) answerIdle(message *nats.Msg, p *pulling) *nats.Msg {
	asked, err := read(message)
	told := answer{Worker: w.pod, Idle: true}
	if err != nil {
		told.Error = err.Error()
	}
	switch asked.Action {
	case "drain":
		if err != nil {
			break
		}
		if p != nil {
			if task := p.end(); task != nil {
				w.send(message, answer{Worker: w.pod})
				return task
			}
			p = nil
		}
		w.lease.until = time.Now().Add(time.Duration(asked.LeaseSeconds) * time.Second)
	case "resume":
		w.lease.until = time.Time{}
	}
	told.Draining = w.told() || w.lease.rest(time.Now()) > 0
	told.IdleSeconds = time.Since(w.lease.idleSince).Seconds()
	w.send(message, told)
	if p != nil {
		return p.end()
	}
	return nil
}

// send: an answer that is lost counts as silence, which the operator takes for "not drained".
func (w *worker) send(message *nats.Msg, told answer) {
	if body, err := json.Marshal(told); err == nil {
		_ = message.Respond(body)
	}
}
