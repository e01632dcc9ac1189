package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"codeforge.dev/bench/servers"
)

// cell is one load on one system: a namespace with a queue, a Deployment, and what was seen of them.
type cell struct {
	system    system
	load      string
	namespace string
	stream    string
	subject   string
	max       int
	nats      *nats.Conn
	js        jetstream.JetStream
	record    *record
	// loadStart is when the load began, opened and ended bound what is counted.
	loadStart, opened, ended time.Time
}

// cells are those that exist, by namespace.
type cells struct {
	mu    sync.Mutex
	known map[string]*cell
}

func (c *cells) add(cell *cell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[cell.namespace] = cell
}

func (c *cells) of(namespace string) *cell {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[namespace]
}

// sizes notes each size that a Deployment is given.
func (c *cells) sizes() cache.ResourceEventHandler {
	note := func(object any) {
		deployment := object.(*appsv1.Deployment)
		if cell := c.of(deployment.Namespace); cell != nil && deployment.Spec.Replicas != nil {
			cell.record.sized(int(*deployment.Spec.Replicas))
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: note, UpdateFunc: func(_, object any) { note(object) }}
}

// bench is the machinery that all cells share.
type bench struct {
	cluster *servers.Cluster
	cells   *cells
	nats    *servers.NatsServer
	clients map[string]*nats.Conn
	looks   map[string]*monitoringProxy
}

// newCell makes the objects of a load on a system; await tells when they are ready.
func (b *bench) newCell(ctx context.Context, s system, load string, repeat, most int) (*cell, error) {
	namespace := fmt.Sprintf("%s-%s", load, s.name)
	if repeat >= 0 {
		namespace = fmt.Sprintf("%s-%d", namespace, repeat)
	}
	client := b.clients[s.name]
	js, err := jetstream.New(client)
	if err != nil {
		return nil, err
	}
	cell := &cell{
		system: s, load: load, namespace: namespace, stream: "tasks_" + namespace + "_pool",
		subject: "tasks." + namespace + ".pool", max: most, nats: client, js: js, record: newRecord(),
	}
	b.cells.add(cell)
	if err := b.cluster.MakeNamespace(ctx, namespace); err != nil {
		return nil, err
	}
	if !s.ours {
		// The operator makes the same for its pools.
		if _, err := js.CreateStream(ctx, jetstream.StreamConfig{
			Name: cell.stream, Subjects: []string{cell.subject, cell.subject + ".*"}, Retention: jetstream.WorkQueuePolicy,
			Discard: jetstream.DiscardNew, AllowDirect: true,
		}); err != nil {
			return nil, err
		}
		if _, err := js.CreateConsumer(ctx, cell.stream, jetstream.ConsumerConfig{
			Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: 100, MaxAckPending: 1000,
		}); err != nil {
			return nil, err
		}
	}
	return cell, b.cluster.Apply(ctx, s.manifest(cell, b.looks[s.name]))
}

// await returns when the system watches the cell's empty queue with no worker.
func (b *bench) await(ctx context.Context, cell *cell) error {
	return servers.Eventually(ctx, cell.namespace+" was ready", 90*time.Second, func() error {
		if size := cell.record.size(); size != 0 {
			return fmt.Errorf("its Deployment's size is %d", size)
		}
		if _, err := cell.js.Consumer(ctx, cell.stream, durable); err != nil {
			return err
		}
		if cell.system.ours {
			pool, err := b.cluster.Dynamic.Resource(servers.WorkerPools).Namespace(cell.namespace).Get(ctx, "pool", metav1.GetOptions{})
			if err != nil {
				return err
			}
			return servers.Condition(pool, "Ready")
		}
		object, err := b.cluster.Dynamic.Resource(scaledObjects).Namespace(cell.namespace).Get(ctx, "pool", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := servers.Condition(object, "Ready"); err != nil {
			return err
		}
		autoscalers, err := b.cluster.Kube.AutoscalingV2().HorizontalPodAutoscalers(cell.namespace).List(ctx, metav1.ListOptions{})
		if err == nil && len(autoscalers.Items) == 0 {
			err = fmt.Errorf("it has no HPA")
		}
		return err
	})
}

// close ends what is counted and takes the cell down, waiting for neither.
func (b *bench) close(ctx context.Context, cell *cell) {
	cell.ended = time.Now()
	cell.record.close()
	if err := b.cluster.Kube.CoreV1().Namespaces().Delete(ctx, cell.namespace, metav1.DeleteOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, "deleting", cell.namespace, err)
	}
	if !cell.system.ours {
		if err := cell.js.DeleteStream(ctx, cell.stream); err != nil {
			fmt.Fprintln(os.Stderr, "deleting", cell.stream, err)
		}
	}
}

// publish puts tasks on the queue, all at once, as a producer outside Kubernetes does.
func (c *cell) publish(ctx context.Context, tasks ...work) error {
	sent := time.Now()
	answers := make([]jetstream.PubAckFuture, 0, len(tasks))
	for i, task := range tasks {
		future, err := c.js.PublishMsgAsync(&nats.Msg{Subject: c.subject, Data: task.message(fmt.Sprintf("task-%d", i))})
		if err != nil {
			return err
		}
		answers = append(answers, future)
	}
	for _, future := range answers {
		select {
		case ack := <-future.Ok():
			c.record.taskPublished(ack.Sequence, sent)
		case err := <-future.Err():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
