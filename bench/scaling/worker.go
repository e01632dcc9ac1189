package main

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// ackWait is how long a worker may be silent before its task is given to another.
const (
	ackWait   = 30 * time.Second
	pullTime  = 5 * time.Second
	durable   = "workers"
	noMessage = "408"
)

// ending is how a run ends.
type ending int

const (
	acknowledged ending = iota
	givenBack
	cutOff
)

// work is what a message asks for; it stands in the task's prompt.
type work struct {
	Seconds float64 `json:"seconds"`
	// Fails is how many deliveries are given back after Seconds; a poisonous one fails always.
	Fails        uint64  `json:"fails,omitempty"`
	AgainSeconds float64 `json:"againSeconds,omitempty"`
}

// worker is what runs in a pod: one task at a time, with signs of life, for as long as it is let.
type worker struct {
	cell      *cell
	pod       string
	lease     lease
	control   *nats.Subscription
	questions chan *nats.Msg
	stopping  chan struct{}
	killed    chan struct{}
	ended     chan struct{}
	mu        sync.Mutex
	busy      bool
}

func startWorker(cell *cell, pod string) (*worker, error) {
	w := &worker{
		cell: cell, pod: pod, lease: lease{idleSince: time.Now()},
		questions: make(chan *nats.Msg, 16), stopping: make(chan struct{}), killed: make(chan struct{}), ended: make(chan struct{}),
	}
	control, err := cell.nats.ChanSubscribe("control."+cell.namespace+".pool.worker."+pod, w.questions)
	if err != nil {
		return nil, err
	}
	w.control = control
	go w.serve()
	return w, nil
}

// stop is SIGTERM, and SIGKILL when the grace is over; it returns when the worker has ended.
func (w *worker) stop(grace time.Duration) {
	w.mu.Lock()
	if w.busy {
		w.cell.record.stoppedBusy()
	}
	w.mu.Unlock()
	if w.cell.record.isClosed() {
		// The load is over: its cell is only taken down.
		grace = 0
	}
	close(w.stopping)
	select {
	case <-w.ended:
	case <-time.After(grace):
		close(w.killed)
		<-w.ended
	}
}

func (w *worker) serve() {
	defer close(w.ended)
	defer func() { _ = w.control.Unsubscribe() }()
	for !w.told() {
		if rest := w.lease.rest(time.Now()); rest > 0 {
			select {
			case <-w.stopping:
			case question := <-w.questions:
				w.answerIdle(question, nil)
			case <-time.After(rest):
			}
			continue
		}
		if message := w.pull(); message != nil {
			w.run(message)
		}
	}
}

func (w *worker) told() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// pull waits for one message; nil when none came, or somebody asked for something else.
func (w *worker) pull() *nats.Msg {
	arrived := make(chan *nats.Msg, 8)
	inbox := w.cell.nats.NewInbox()
	subscription, err := w.cell.nats.ChanSubscribe(inbox, arrived)
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return nil
	}
	p := &pulling{w, subscription, arrived}
	request := fmt.Appendf(nil, `{"batch":1,"expires":%d}`, pullTime.Nanoseconds())
	if err := w.cell.nats.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+w.cell.stream+"."+durable, inbox, request); err != nil {
		p.end()
		time.Sleep(100 * time.Millisecond)
		return nil
	}
	select {
	case message := <-arrived:
		_ = subscription.Unsubscribe()
		if isTask(message) {
			w.setBusy(true)
			return message
		}
		if message.Header.Get("Status") != noMessage {
			time.Sleep(250 * time.Millisecond)
		}
		return nil
	case <-time.After(pullTime + time.Second):
		return p.end()
	case question := <-w.questions:
		return w.answerIdle(question, p)
	case <-w.stopping:
		if message := p.end(); message != nil {
			_ = message.Respond([]byte("-NAK"))
		}
		return nil
	}
}

func isTask(message *nats.Msg) bool { return message.Header.Get("Status") == "" }

func (w *worker) setBusy(busy bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = busy
}

// run holds the task for its time, with signs of life, and answers for it.
func (w *worker) run(message *nats.Msg) {
	defer func() {
		w.lease.idleSince = time.Now()
		w.setBusy(false)
	}()
	about, err := message.Metadata()
	if err != nil {
		return
	}
	task, sequence := parse(message.Data), about.Sequence.Stream
	w.cell.record.taskStarted(sequence, about.NumDelivered)
	end := time.NewTimer(time.Duration(task.Seconds * float64(time.Second)))
	defer end.Stop()
	beat := time.NewTicker(ackWait / 4)
	defer beat.Stop()
	for {
		select {
		case <-end.C:
			w.finish(message, task, sequence, about.NumDelivered)
			return
		case <-beat.C:
			_ = message.Respond([]byte("+WPI"))
		case question := <-w.questions:
			w.answerBusy(question)
		case <-w.killed:
			w.cell.record.taskEnded(sequence, cutOff)
			return
		}
	}
}

func (w *worker) finish(message *nats.Msg, task work, sequence, delivery uint64) {
	if delivery <= task.Fails {
		_ = message.Respond(fmt.Appendf(nil, `-NAK {"delay":%d}`, int64(task.AgainSeconds*1e9)))
		w.cell.record.taskEnded(sequence, givenBack)
		return
	}
	// An acknowledgement that nobody confirms is sent again, until the task would be another's.
	for deadline := time.Now().Add(ackWait); time.Now().Before(deadline); {
		if _, err := w.cell.nats.Request(message.Reply, []byte("+ACK"), time.Second); err == nil {
			break
		}
	}
	w.cell.record.taskEnded(sequence, acknowledged)
}

func parse(body []byte) work {
	var message struct {
		Prompt string `json:"prompt"`
	}
	var task work
	if json.Unmarshal(body, &message) == nil {
		_ = json.Unmarshal([]byte(message.Prompt), &task)
	}
	return task
}
