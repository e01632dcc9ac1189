package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"codeforge.dev/bench/servers"
)

const (
	nodeName = "bench"
	// startDelay is from a pod's binding to its readiness: image there, container up, connected.
	startDelay = 2 * time.Second
)

// node is scheduler and kubelet of all pods, and keeps the cells' records of pods and sizes.
type node struct {
	cluster *servers.Cluster
	cells   *cells
	mu      sync.Mutex
	told    map[types.UID]chan time.Duration
}

func startNode(ctx context.Context, c *servers.Cluster, all *cells) error {
	n := &node{cluster: c, cells: all, told: map[types.UID]chan time.Duration{}}
	if err := c.Apply(ctx, "apiVersion: v1\nkind: Node\nmetadata: {name: "+nodeName+"}\n"); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(c.Kube, 0)
	pods := factory.Core().V1().Pods().Informer()
	deployments := factory.Apps().V1().Deployments().Informer()
	if _, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { n.seen(ctx, object.(*corev1.Pod)) },
		UpdateFunc: func(_, object any) { n.seen(ctx, object.(*corev1.Pod)) },
		DeleteFunc: n.removed,
	}); err != nil {
		return err
	}
	if _, err := deployments.AddEventHandler(all.sizes()); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return nil
}

// seen begins a pod's life once, and tells it when it is to end.
func (n *node) seen(ctx context.Context, pod *corev1.Pod) {
	cell := n.cells.of(pod.Namespace)
	if cell == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	told, known := n.told[pod.UID]
	if !known {
		if pod.DeletionTimestamp != nil {
			return
		}
		told = make(chan time.Duration, 1)
		n.told[pod.UID] = told
		go n.live(ctx, cell, pod, told)
	}
	if pod.DeletionTimestamp != nil && pod.DeletionGracePeriodSeconds != nil {
		select {
		case told <- time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second:
		default: // told before
		}
	}
}

// removed ends what is left of a pod that vanished without notice, as one does that was never bound.
func (n *node) removed(object any) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if told, known := n.told[pod.UID]; known {
		select {
		case told <- 0:
		default:
		}
		delete(n.told, pod.UID)
	}
}

func (n *node) live(ctx context.Context, cell *cell, pod *corev1.Pod, told <-chan time.Duration) {
	if err := n.bind(ctx, pod); err != nil {
		if !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "binding", pod.Namespace, pod.Name, err)
		}
		return
	}
	cell.record.podBound(pod.Name)
	select {
	case <-ctx.Done():
		return
	case <-time.After(startDelay):
		n.serve(ctx, cell, pod, told)
	case <-told:
	}
	cell.record.podGone(pod.Name)
	if err := n.delete(ctx, pod); err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "deleting", pod.Namespace, pod.Name, err)
	}
}

// serve is a started pod: it works until it is told to stop, and at most its grace longer.
func (n *node) serve(ctx context.Context, cell *cell, pod *corev1.Pod, told <-chan time.Duration) {
	worker, err := startWorker(cell, pod.Name)
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker", pod.Name, err)
		return
	}
	if err := n.ready(ctx, pod); err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "readiness of", pod.Namespace, pod.Name, err)
	}
	select {
	case <-ctx.Done():
		worker.stop(0)
	case grace := <-told:
		worker.stop(grace)
	}
}

func (n *node) bind(ctx context.Context, pod *corev1.Pod) error {
	return n.cluster.Kube.CoreV1().Pods(pod.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: nodeName},
	}, metav1.CreateOptions{})
}

func (n *node) ready(ctx context.Context, pod *corev1.Pod) error {
	now := metav1.Now()
	status := corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &now}
	for _, name := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions,
			corev1.PodCondition{Type: name, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, Ready: true,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = n.cluster.Kube.CoreV1().Pods(pod.Namespace).
		Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// delete ends a pod as its kubelet does when its containers are gone.
func (n *node) delete(ctx context.Context, pod *corev1.Pod) error {
	now := int64(0)
	return n.cluster.Kube.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
}
