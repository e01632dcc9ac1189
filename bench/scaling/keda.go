package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"codeforge.dev/bench/servers"
)

var (
	scaledObjects = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	apiServices   = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
)

// startKeda runs its operator and its metrics adapter; the APIService that leads to the adapter's port is ours to make.
func startKeda(ctx context.Context, programs *servers.Processes, c *servers.ControlPlane, bin string) (adapter int, err error) {
	free, err := servers.FreePorts(5)
	if err != nil {
		return 0, err
	}
	adapter = free[0]
	grpc, metrics, health, adapterMetrics := free[1], free[2], free[3], free[4]
	operatorConfig, err := c.Kubeconfig(userKeda)
	if err != nil {
		return 0, err
	}
	adapterConfig, err := c.Kubeconfig(userKedaAdapter)
	if err != nil {
		return 0, err
	}
	env := []string{"POD_NAMESPACE=keda", "KEDA_CLUSTER_OBJECT_NAMESPACE=keda", "WATCH_NAMESPACE="}
	if _, err := programs.Start("keda-operator", append(env, "KUBECONFIG="+operatorConfig), filepath.Join(bin, "keda-operator"),
		"--leader-elect=false", "--enable-cert-rotation=false", "--enable-webhook-patching=false",
		"--enable-apiservice-patching=false", "--cert-dir="+c.Certs.Dir,
		fmt.Sprintf("--metrics-service-bind-address=127.0.0.1:%d", grpc),
		fmt.Sprintf("--metrics-bind-address=127.0.0.1:%d", metrics),
		fmt.Sprintf("--health-probe-bind-address=127.0.0.1:%d", health)); err != nil {
		return 0, err
	}
	if err := servers.Eventually(ctx, "KEDA was ready", time.Minute, func() error {
		return servers.Good(fmt.Sprintf("http://127.0.0.1:%d/readyz", health))
	}); err != nil {
		return 0, err
	}
	_, err = programs.Start("keda-adapter", append(env, "KUBECONFIG="+adapterConfig), filepath.Join(bin, "keda-adapter"),
		fmt.Sprintf("--secure-port=%d", adapter), "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", adapterMetrics),
		"--lister-kubeconfig="+adapterConfig, "--authentication-kubeconfig="+adapterConfig,
		"--authorization-kubeconfig="+adapterConfig, "--client-ca-file="+c.Certs.Path("ca.crt"),
		"--tls-cert-file="+c.Certs.Path("tls.crt"), "--tls-private-key-file="+c.Certs.Path("tls.key"),
		"--cert-dir="+c.Certs.Dir, fmt.Sprintf("--metrics-service-address=localhost:%d", grpc))
	return adapter, err
}

// leadToAdapter makes the external metrics API lead to KEDA's adapter on this machine, and returns when it does.
func leadToAdapter(ctx context.Context, c *servers.Cluster, port int) error {
	if err := c.Apply(ctx, fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: keda-metrics, namespace: keda}
spec: {type: ExternalName, externalName: localhost}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: keda-metrics, namespace: keda, port: %d}
`, port)); err != nil {
		return err
	}
	return servers.Eventually(ctx, "the external metrics API was served", time.Minute, func() error {
		service, err := c.Dynamic.Resource(apiServices).Get(ctx, "v1beta1.external.metrics.k8s.io", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return servers.Condition(service, "Available")
	})
}
