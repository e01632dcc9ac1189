package main

import (
	"testing"

	"github.com/nats-io/nats.go"
)

func TestOnlyWhatTheProtocolKnowsIsDone(t *testing.T) {
	for body, good := range map[string]bool{
		`{"action":"look"}`:                      true,
		`{"action":"resume"}`:                    true,
		`{"action":"drain","leaseSeconds":60}`:   true,
		`{"action":"drain","leaseSeconds":600}`:  true,
		`{"action":"drain","leaseSeconds":601}`:  false,
		`{"action":"drain"}`:                     false,
		`{"action":"remove","leaseSeconds":60}`:  false,
		`drain`:                                  false,
		`{"action":"drain","leaseSeconds":"60"}`: false,
	} {
		if _, err := read(&nats.Msg{Data: []byte(body)}); (err == nil) != good {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestATaskIsReadAsItWasWritten(t *testing.T) {
	sent := work{Seconds: 1.5, Fails: 3, AgainSeconds: 10}
	if is := parse(sent.message("task-1")); is != sent {
		t.Errorf("%+v became %+v", sent, is)
	}
}
