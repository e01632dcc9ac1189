package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"codeforge.dev/bench/servers"
)

// sight is a line as a client got it; delay is from its writing, negative when the line tells no time.
type sight struct {
	sequence   uint64
	at         int64
	delay      int64
	connection int // which of the client's
}

// follow is one subscription of one client to the lines of one task, over all its connections.
type follow struct {
	task  int
	began atomic.Int64 // the position of the first synced; -1 before it
	last  atomic.Uint64
	seen  []sight
}

// client is a WebSocket client that comes back as docs/live.md says: with the last sequence that it saw.
type client struct {
	url     string
	user    string
	tasks   []string
	follows []*follow
	// opened is closed when all its subscriptions have been synced, once.
	opened chan struct{}
	synced int

	mu      sync.Mutex
	reading chan struct{} // closed while it reads

	ended  chan struct{}
	closes []websocket.StatusCode // why its connections ended, -1 for a cut
	failed error
}

func newClient(url, user string, tasks []string, followed ...int) *client {
	c := &client{url: url, user: user, tasks: tasks, reading: make(chan struct{}), opened: make(chan struct{}), ended: make(chan struct{})}
	close(c.reading)
	for _, task := range followed {
		f := &follow{task: task}
		f.began.Store(-1)
		c.follows = append(c.follows, f)
	}
	return c
}

// stopReading leaves what comes to the kernel, until readAgain.
func (c *client) stopReading() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = make(chan struct{})
}

func (c *client) readAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.reading)
}

func (c *client) mayRead() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading
}

// run follows until the context ends; what it has seen may be read when ended is closed.
func (c *client) run(ctx context.Context) {
	defer close(c.ended)
	for ctx.Err() == nil && c.failed == nil {
		err := c.connection(ctx)
		if ctx.Err() == nil {
			c.closes = append(c.closes, websocket.CloseStatus(err))
		}
		// Those that were cut off together do not come back together.
		servers.Pause(ctx, 200*time.Millisecond+rand.N(300*time.Millisecond))
	}
}

func (c *client) connection(ctx context.Context) error {
	socket, _, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + servers.Token(c.user)}},
	})
	if err != nil {
		return err
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(1 << 20)
	for number, f := range c.follows {
		if err := socket.Write(ctx, websocket.MessageText, []byte(c.subscribe(number, f))); err != nil {
			return err
		}
	}
	var frame bytes.Buffer
	for {
		select {
		case <-c.mayRead():
		case <-ctx.Done():
			return ctx.Err()
		}
		_, reader, err := socket.Reader(ctx)
		if err != nil {
			return err
		}
		frame.Reset()
		if _, err := frame.ReadFrom(reader); err != nil {
			return err
		}
		now := time.Now().UnixNano()
		if !isWhole(frame.Bytes()) {
			return errCut
		}
		for message := range bytes.SplitSeq(frame.Bytes(), []byte("\n")) {
			if err := c.hear(message, now); err != nil {
				c.failed = err
				return err
			}
		}
	}
}

var errCut = errors.New("the connection was cut within a frame")

// isWhole tells a frame from the beginning of one: the library reports a connection that is cut as the end of the message.
func isWhole(frame []byte) bool {
	return json.Valid(frame[bytes.LastIndexByte(frame, '\n')+1:])
}

// subscribe is for what happens from now on, or for what follows the last that it has.
func (c *client) subscribe(number int, f *follow) string {
	after := ""
	if last := max(int64(f.last.Load()), f.began.Load()); last > 0 {
		after = fmt.Sprintf(`,"afterLine":%d`, last)
	}
	return fmt.Sprintf(`{"type":"subscribe","id":"%d","namespace":%q,"task":%q,"topics":["log"]%s}`,
		number, namespace, c.tasks[f.task], after)
}

// hear takes a message: of lines, of which there are many, it reads no more than it needs.
func (c *client) hear(message []byte, now int64) error {
	if bytes.Contains(message, []byte(`"type":"log"`)) {
		f, err := c.of(text(message, `"subscription":"`))
		if err != nil {
			return err
		}
		sequence, err := strconv.ParseUint(digits(message, `"sequence":`), 10, 64)
		if err != nil {
			return fmt.Errorf("a line without a sequence: %s", message)
		}
		s := sight{sequence: sequence, at: now, delay: -1, connection: len(c.closes)}
		if written, err := strconv.ParseInt(digits(message, `"line":"`), 10, 64); err == nil {
			s.delay = now - written
		}
		f.seen = append(f.seen, s)
		f.last.Store(sequence)
		return nil
	}
	var said struct {
		Type, Subscription, Reason, Message string
		Log                                 int64
	}
	if err := json.Unmarshal(message, &said); err != nil {
		return fmt.Errorf("%w: %s", err, message)
	}
	switch said.Type {
	case "synced":
		f, err := c.of(said.Subscription)
		if err != nil {
			return err
		}
		if f.began.Load() < 0 {
			// The position is behind what it has when the connection was cut before this.
			if len(f.seen) > 0 {
				said.Log = min(said.Log, int64(f.seen[0].sequence)-1)
			}
			f.began.Store(said.Log)
			if c.synced++; c.synced == len(c.follows) {
				close(c.opened)
			}
		}
	case "error":
		return fmt.Errorf("the console answered %s: %s", said.Reason, said.Message)
	}
	return nil
}

func (c *client) of(subscription string) (*follow, error) {
	number, err := strconv.Atoi(subscription)
	if err != nil || number < 0 || number >= len(c.follows) {
		return nil, fmt.Errorf("a message of %q, which was not subscribed to", subscription)
	}
	return c.follows[number], nil
}

// text is what follows the mark to the next quotation mark.
func text(message []byte, mark string) string {
	_, after, _ := bytes.Cut(message, []byte(mark))
	found, _, _ := bytes.Cut(after, []byte(`"`))
	return string(found)
}

// digits follow the mark.
func digits(message []byte, mark string) string {
	_, after, _ := bytes.Cut(message, []byte(mark))
	end := 0
	for end < len(after) && after[end] >= '0' && after[end] <= '9' {
		end++
	}
	return string(after[:end])
}
