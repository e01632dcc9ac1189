package main

import (
	"encoding/json"
	"fmt"
)

// system is what is compared.
type system struct {
	name  string
	title string
	ours  bool
	// shippedGrace leaves the pods' grace to our operator: the longest run's time and a minute.
	shippedGrace bool
	// window is ours in seconds, 0 for the default.
	window int
	// lagPerWorker is KEDA's lagThreshold.
	lagPerWorker int
	poll         int
	cooldown     int
	behaviour    string
}

const (
	stabilization = 60 // seconds, tuned KEDA's
	grace         = 30 // seconds, Kubernetes' default
)

var (
	ours        = system{name: "ours", title: "CodeForge", ours: true, lagPerWorker: 1}
	oursShipped = system{name: "shipped", title: "CodeForge, its own grace", ours: true, shippedGrace: true, lagPerWorker: 1}
	oursPatient = system{name: "patient", title: "CodeForge, window 60 s", ours: true, window: stabilization, lagPerWorker: 1}
	kedaDefault = system{name: "keda", title: "KEDA, default", lagPerWorker: 10, poll: 30, cooldown: 300}
	kedaTuned   = system{name: "tuned", title: "KEDA, tuned", lagPerWorker: 1, poll: 1, cooldown: stabilization, behaviour: fmt.Sprintf(`
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          tolerance: 0
          selectPolicy: Max
          policies: [{type: Pods, value: 1000, periodSeconds: 1}]
        scaleDown:
          stabilizationWindowSeconds: %d
          tolerance: 0
          selectPolicy: Max
          policies: [{type: Pods, value: 1000, periodSeconds: 1}]`, stabilization)}
	everySystem = []system{ours, kedaDefault, kedaTuned}
)

// wanted is the size that a system's own setting gives so many tasks.
func (s system) wanted(tasks, most int) int {
	return min((tasks+s.lagPerWorker-1)/s.lagPerWorker, most)
}

func (s system) manifest(c *cell, looks *monitoringProxy) string {
	if s.ours {
		termination := fmt.Sprintf("terminationGracePeriodSeconds: %d, ", grace)
		if s.shippedGrace {
			termination = ""
		}
		window := ""
		if s.window > 0 {
			window = fmt.Sprintf(", scaleDownStabilizationWindowSeconds: %d", s.window)
		}
		return fmt.Sprintf(`apiVersion: codeforge.dev/v1alpha1
kind: WorkerPool
metadata: {name: pool, namespace: %s}
spec:
  backend: command
  queue: {heartbeatTimeoutSeconds: %d}
  deletionPolicy: Delete
  scaling: {minReplicas: 0, maxReplicas: %d%s}
  template: {spec: {%scontainers: [{name: worker, image: bench}]}}
`, c.namespace, int(ackWait.Seconds()), c.max, window, termination)
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: pool-workers, namespace: %[1]s}
spec:
  replicas: 0
  selector: {matchLabels: {app: workers}}
  template:
    metadata: {labels: {app: workers}}
    spec:
      terminationGracePeriodSeconds: %[2]d
      containers: [{name: worker, image: bench}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: pool, namespace: %[1]s}
spec:
  scaleTargetRef: {name: pool-workers}
  minReplicaCount: 0
  maxReplicaCount: %[3]d
  pollingInterval: %[4]d
  cooldownPeriod: %[5]d%[6]s
  triggers:
    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: %[7]q
        account: $G
        stream: %[8]s
        consumer: %[9]s
        lagThreshold: "%[10]d"
`, c.namespace, grace, c.max, s.poll, s.cooldown, s.behaviour, looks.address(), c.stream, durable, s.lagPerWorker)
}

// message is a task as a producer outside Kubernetes writes it.
func (w work) message(id string) []byte {
	prompt, err := json.Marshal(w)
	if err != nil {
		panic(err) // two numbers
	}
	body, err := json.Marshal(map[string]string{"task_id": id, "prompt": string(prompt)})
	if err != nil {
		panic(err)
	}
	return body
}
