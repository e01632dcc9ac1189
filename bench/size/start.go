package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"codeforge.dev/bench/servers"
)

const (
	namespace = "size"
	pool      = "pool"
	// full has room for one task, the filler.
	full         = "full"
	filler       = "filler"
	userOperator = "codeforge-operator"
)

// bench is what a cell is measured on. One of the two operators leads; which one is not known.
type bench struct {
	programs  *servers.Processes
	plane     *servers.ControlPlane
	nats      *servers.NatsServer
	cluster   *servers.Cluster
	operators []*servers.Operator
}

// start returns when the first operator leads and the pool has its queue.
func start(ctx context.Context, programs *servers.Processes, o options) (*bench, error) {
	plane, err := servers.StartControlPlane(ctx, programs, o.bin, servers.Users{Names: []string{userOperator}, Audited: []string{userOperator}})
	if err != nil {
		return nil, err
	}
	nats, err := servers.NewNatsServer(programs, o.bin)
	if err != nil {
		return nil, err
	}
	cluster, err := servers.NewCluster(plane.Config())
	if err != nil {
		return nil, err
	}
	if err := cluster.Prepare(ctx, o.crds, namespace); err != nil {
		return nil, err
	}
	b := &bench{programs: programs, plane: plane, nats: nats, cluster: cluster}
	for number := range 2 {
		operator, err := servers.NewOperator(programs, plane, nats, fmt.Sprintf("operator-%d", number), userOperator, o.operator,
			"CODEFORGE_LEADER_ELECTION=true")
		if err != nil {
			return nil, err
		}
		b.operators = append(b.operators, operator)
	}
	if err := b.operators[0].Start(ctx); err != nil {
		return nil, err
	}
	return b, b.makePool(ctx, pool, "")
}

// fill makes a pool without room for another task.
func (b *bench) fill(ctx context.Context) error {
	if err := b.makePool(ctx, full, "queue: {maxMessages: 1}"); err != nil {
		return err
	}
	_, err := b.tasks().Create(ctx, named(filler, full), metav1.CreateOptions{})
	return err
}

// makePool makes a pool whose Deployment nobody gives pods: its tasks stay queued.
func (b *bench) makePool(ctx context.Context, name, queue string) error {
	if err := b.cluster.Apply(ctx, fmt.Sprintf(`apiVersion: codeforge.dev/v1alpha1
kind: WorkerPool
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  backend: command
  replicas: 0
  %[3]s
  template: {spec: {containers: [{name: worker, image: bench}]}}
`, name, namespace, queue)); err != nil {
		return err
	}
	return servers.Eventually(ctx, "the pool had its queue", time.Minute, func() error {
		object, err := b.cluster.Dynamic.Resource(servers.WorkerPools).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return servers.Condition(object, "QueueReady")
	})
}

func (b *bench) tasks() dynamic.ResourceInterface {
	return b.cluster.Dynamic.Resource(servers.AgentTasks).Namespace(namespace)
}

// kind of tasks, by the phase that they come to.
type kind string

const (
	queued   kind = "Queued"
	pending  kind = "Pending"
	finished kind = "Cancelled"
)

// prompt has the size of a usual one.
var prompt = fmt.Sprintf("%-1000s", "Say what this repository is for.")

func (k kind) task(name string) *unstructured.Unstructured {
	if k == pending {
		return named(name, full)
	}
	task := named(name, pool)
	if k == finished {
		task.Object["spec"].(map[string]any)["cancel"] = true
	}
	return task
}

func named(name, pool string) *unstructured.Unstructured {
	spec := map[string]any{"workerPoolRef": map[string]any{"name": pool}, "title": "bench", "prompt": prompt}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "codeforge.dev/v1alpha1", "kind": "AgentTask",
		"metadata": map[string]any{"name": name, "namespace": namespace}, "spec": spec,
	}}
}
