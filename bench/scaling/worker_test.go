package main

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"codeforge.dev/bench/servers"
)

// queue is a cell on a real NATS server, without a cluster.
func queue(t *testing.T) *cell {
	t.Helper()
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go broker.Start()
	if !broker.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	client, err := nats.Connect(broker.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	js, err := jetstream.New(client)
	if err != nil {
		t.Fatal(err)
	}
	c := &cell{namespace: "test", stream: "tasks", subject: "tasks.agent", nats: client, js: js, record: newRecord()}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: c.stream, Subjects: []string{c.subject}, Retention: jetstream.WorkQueuePolicy,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateConsumer(t.Context(), c.stream, jetstream.ConsumerConfig{
		Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxAckPending: 1000,
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

func ask(t *testing.T, c *cell, pod, request string) answer {
	t.Helper()
	message, err := c.nats.Request("control."+c.namespace+".pool.worker."+pod, []byte(request), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var told answer
	if err := json.Unmarshal(message.Data, &told); err != nil {
		t.Fatal(err)
	}
	return told
}

func started(t *testing.T, c *cell, pod string) *worker {
	t.Helper()
	w, err := startWorker(c, pod)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-w.stopping:
		default:
			w.stop(0)
		}
	})
	return w
}

func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if err := servers.Eventually(context.Background(), what, 20*time.Second, func() error {
		if !holds() {
			return fmt.Errorf("not yet")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, c *cell, tasks ...work) {
	t.Helper()
	if err := c.publish(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
}

func TestADrainedWorkerTakesNothingUntilItIsResumed(t *testing.T) {
	c := queue(t)
	started(t, c, "one")
	if told := ask(t, c, "one", `{"action":"drain","leaseSeconds":60}`); !told.Idle || !told.Draining {
		t.Fatalf("%+v", told)
	}
	publish(t, c, work{Seconds: 0.1})
	time.Sleep(time.Second)
	if c.record.started() != 0 {
		t.Fatal("it took a task")
	}
	ask(t, c, "one", `{"action":"resume"}`)
	within(t, "the task was done", c.record.settled)
}

func TestALeaseEndsByItself(t *testing.T) {
	c := queue(t)
	started(t, c, "one")
	ask(t, c, "one", `{"action":"drain","leaseSeconds":1}`)
	publish(t, c, work{})
	within(t, "the task was done", c.record.settled)
}

func TestABusyWorkerSaysNoAndGoesOn(t *testing.T) {
	c := queue(t)
	started(t, c, "one")
	publish(t, c, work{Seconds: 1}, work{Seconds: 0.1})
	within(t, "a task was taken", func() bool { return c.record.started() == 1 })
	if told := ask(t, c, "one", `{"action":"drain","leaseSeconds":60}`); told.Idle || told.Draining {
		t.Fatalf("%+v", told)
	}
	within(t, "both were done", c.record.settled)
}

func TestDrainsLoseNothingAndRepeatNothing(t *testing.T) {
	c := queue(t)
	for i := range 4 {
		started(t, c, fmt.Sprint(i))
	}
	for i := range 200 {
		publish(t, c, work{Seconds: 0.01})
		if i%3 == 0 {
			pod := fmt.Sprint(i % 4)
			ask(t, c, pod, `{"action":"drain","leaseSeconds":60}`)
			ask(t, c, pod, `{"action":"resume"}`)
		}
	}
	within(t, "all were done", c.record.settled)
	if c.record.redeliveries != 0 || c.record.started() != 200 {
		t.Fatalf("%d redeliveries, %d started", c.record.redeliveries, c.record.started())
	}
}

func TestAWorkerThatIsKilledLosesItsTask(t *testing.T) {
	c := queue(t)
	w := started(t, c, "one")
	publish(t, c, work{Seconds: 60})
	within(t, "it was taken", func() bool { return c.record.started() == 1 })
	w.stop(100 * time.Millisecond)
	if c.record.busyStops != 1 || c.record.cutOff != 1 || c.record.settled() {
		t.Fatalf("%+v", c.record)
	}
}

func TestAnIdleWorkerEndsAtOnceAndABusyOneWithinItsGrace(t *testing.T) {
	c := queue(t)
	idle := started(t, c, "idle")
	begin := time.Now()
	idle.stop(10 * time.Second)
	busy := started(t, c, "busy")
	publish(t, c, work{Seconds: 1})
	within(t, "it was taken", func() bool { return c.record.started() == 1 })
	busy.stop(10 * time.Second)
	if took := time.Since(begin); took > 8*time.Second || c.record.cutOff != 0 || !c.record.settled() {
		t.Fatalf("%s, %+v", took, c.record)
	}
}
