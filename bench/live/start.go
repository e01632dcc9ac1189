package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"codeforge.dev/bench/servers"
)

const (
	namespace    = "live"
	pool         = "pool"
	userOperator = "codeforge-operator"
	userConsole  = "codeforge-console"
	nameConsole  = "codeforge-console"
	nameWorker   = "worker"
	// userViewer is the one user of all clients where each has not a user of its own.
	userViewer = "viewer"
)

// bench is what all steps share.
type bench struct {
	programs *servers.Processes
	nats     *servers.NatsServer
	js       jetstream.JetStream
	console  *console
	truth    *truth
	tasks    []string // names
	uids     []string
}

// viewer is the user of one client where each has a user of its own.
func viewer(number int) string { return fmt.Sprintf("viewer-%d", number) }

// start returns when the worker runs all tasks.
func start(ctx context.Context, programs *servers.Processes, o options, p plan) (*bench, error) {
	users := []string{userOperator, userConsole, userViewer}
	for number := range p.callers {
		users = append(users, viewer(number))
	}
	plane, err := servers.StartControlPlane(ctx, programs, o.bin, servers.Users{Names: users})
	if err != nil {
		return nil, err
	}
	server, err := servers.NewNatsServer(programs, o.bin)
	if err != nil {
		return nil, err
	}
	c, err := servers.NewCluster(plane.Config())
	if err != nil {
		return nil, err
	}
	if err := c.Prepare(ctx, o.crds, namespace); err != nil {
		return nil, err
	}
	if err := servers.StartOperator(ctx, programs, plane, server, userOperator, o.operator); err != nil {
		return nil, err
	}
	if err := makePool(ctx, c); err != nil {
		return nil, err
	}
	b := &bench{programs: programs, nats: server}
	if err := b.startWorker(o); err != nil {
		return nil, err
	}
	if err := b.makeTasks(ctx, c, p.tasks); err != nil {
		return nil, err
	}
	if err := b.connect(); err != nil {
		return nil, err
	}
	b.console, err = newConsole(ctx, programs, plane, server, o.console)
	return b, err
}

// makePool makes a pool whose Deployment nobody gives pods: its one worker is started beside it.
func makePool(ctx context.Context, c *servers.Cluster) error {
	if err := c.Apply(ctx, fmt.Sprintf(`apiVersion: codeforge.dev/v1alpha1
kind: WorkerPool
metadata: {name: %s, namespace: %s}
spec:
  backend: lines
  tasksPerWorker: 100
  scaling: {minReplicas: 1, maxReplicas: 1}
  template: {spec: {containers: [{name: worker, image: bench}]}}
`, pool, namespace)); err != nil {
		return err
	}
	return servers.Eventually(ctx, "the pool had its queue", time.Minute, func() error {
		object, err := c.Dynamic.Resource(servers.WorkerPools).Namespace(namespace).Get(ctx, pool, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return servers.Condition(object, "QueueReady")
	})
}

// startWorker runs the Python worker from its source.
func (b *bench) startWorker(o options) error {
	free, err := servers.FreePorts(1)
	if err != nil {
		return err
	}
	program := fmt.Sprintf("import sys; sys.path.insert(0, %q); from codeforge_worker.cli import main; main()", o.workerSource)
	_, err = b.programs.Start(nameWorker, []string{
		"NATS_URL=" + b.nats.URL(), "CODEFORGE_NAMESPACE=" + namespace, "CODEFORGE_POOL=" + pool,
		"CODEFORGE_STREAM=tasks_" + namespace + "_" + pool, "CODEFORGE_BACKEND=lines", "CODEFORGE_MODULE=" + o.lines,
		"CODEFORGE_CONCURRENCY=100", "CODEFORGE_ACK_WAIT_SECONDS=60", "CODEFORGE_GRACE_SECONDS=1",
		"CODEFORGE_POD_NAME=worker", "CODEFORGE_WORKSPACE=" + filepath.Join(b.programs.Dir, "workspace"),
		fmt.Sprintf("CODEFORGE_HTTP_PORT=%d", free[0]),
	}, o.python, "-c", program, "run")
	return err
}

// makeTasks returns when all of them run.
func (b *bench) makeTasks(ctx context.Context, c *servers.Cluster, count int) error {
	tasks := c.Dynamic.Resource(servers.AgentTasks).Namespace(namespace)
	for number := range count {
		name := fmt.Sprintf("task-%d", number)
		made, err := tasks.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "codeforge.dev/v1alpha1", "kind": "AgentTask",
			"metadata": map[string]any{"name": name, "namespace": namespace},
			"spec":     map[string]any{"workerPoolRef": map[string]any{"name": pool}, "title": "bench", "prompt": "print"},
		}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		b.tasks, b.uids = append(b.tasks, name), append(b.uids, string(made.GetUID()))
	}
	return servers.Eventually(ctx, "all tasks ran", time.Minute, func() error {
		if err := b.programs.Dead(); err != nil {
			return err
		}
		list, err := tasks.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		phases := map[string]int{}
		for _, task := range list.Items {
			phase, _, _ := unstructured.NestedString(task.Object, "status", "phase")
			phases[phase]++
		}
		if phases["Running"] != count {
			return fmt.Errorf("their phases are %v; see %s", phases, filepath.Join(b.programs.Dir, "worker.log"))
		}
		return nil
	})
}

func (b *bench) connect() error {
	client, err := nats.Connect(b.nats.URL(), nats.Name(servers.Admin), nats.MaxReconnects(-1),
		nats.ReconnectWait(200*time.Millisecond))
	if err != nil {
		return err
	}
	if b.js, err = jetstream.New(client); err != nil {
		return err
	}
	b.truth = newTruth(b.js, b.uids)
	return nil
}

func say(format string, values ...any) {
	fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), "", fmt.Sprintf(format, values...))
}
