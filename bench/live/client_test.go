package main

import (
	"testing"
	"time"
)

const golden = `{"subscription":"1","type":"log","namespace":"live","pool":"pool","task":"5f0c4f9e","sequence":7,` +
	`"line":{"task_id":"5f0c4f9e","line":"1000 ...","stream":"stdout","attempt":1,"delivery":1,"seq":3,"time":"2026-05-04T10:01:05Z"}}`

func TestALineIsNotedWithItsSequenceAndDelay(t *testing.T) {
	c := newClient("", "", []string{"a", "b"}, 0, 1)
	if err := c.hear([]byte(golden), 1500); err != nil {
		t.Fatal(err)
	}
	if got, want := c.follows[1].seen[0], (sight{sequence: 7, at: 1500, delay: 500}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAClientComesBackWithTheLastSequence(t *testing.T) {
	c := newClient("", "", []string{"a", "b"}, 0, 1)
	if got, want := c.subscribe(1, c.follows[1]), `{"type":"subscribe","id":"1","namespace":"live","task":"b","topics":["log"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, message := range []string{`{"type":"synced","subscription":"1","log":5}`, golden} {
		if err := c.hear([]byte(message), time.Now().UnixNano()); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"type":"subscribe","id":"1","namespace":"live","task":"b","topics":["log"],"afterLine":7}`
	if got := c.subscribe(1, c.follows[1]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnErrorOfTheConsoleFailsTheClient(t *testing.T) {
	c := newClient("", "", []string{"a"}, 0)
	if c.hear([]byte(`{"type":"error","subscription":"0","reason":"TooOld","message":"x"}`), 0) == nil {
		t.Error("it was heard without an error")
	}
}

func TestTheBeginningOfAFrameIsNone(t *testing.T) {
	frame := `{"type":"pong"}` + "\n" + golden
	if !isWhole([]byte(frame)) {
		t.Error("a whole frame is taken for a part")
	}
	if isWhole([]byte(frame[:len(frame)-1])) || isWhole([]byte(`{"type":"log","sequence":39`)) {
		t.Error("a part is taken for a whole frame")
	}
}
