package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

var (
	workerPools   = schema.GroupVersionResource{Group: "codeforge.dev", Version: "v1alpha1", Resource: "workerpools"}
	agentTasks    = schema.GroupVersionResource{Group: "codeforge.dev", Version: "v1alpha1", Resource: "agenttasks"}
	scaledObjects = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	apiServices   = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
)

// cluster is the API server as this program uses it.
type cluster struct {
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

func newCluster(config *rest.Config) (*cluster, error) {
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	discoveryClient, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discoveryClient))
	return &cluster{kube, dynamicClient, mapper}, nil
}

// apply sends the objects of a YAML text to the server, which merges them.
func (c *cluster) apply(ctx context.Context, text string) error {
	for part := range strings.SplitSeq(text, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(part), &object.Object); err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		kind := object.GroupVersionKind()
		mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if meta.IsNoMatchError(err) {
			c.mapper.Reset()
			mapping, err = c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		}
		if err != nil {
			return err
		}
		var resource dynamic.ResourceInterface = c.dynamic.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			resource = c.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
		}
		if _, err := resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: userAdmin, Force: true}); err != nil {
			return fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err)
		}
	}
	return nil
}

// applyCRDs applies the files of a folder and returns when all are served.
func (c *cluster) applyCRDs(ctx context.Context, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no CRDs in %s (%w)", folder, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := c.apply(ctx, strings.TrimPrefix(string(text), "---\n")); err != nil {
			return err
		}
	}
	return nil
}

// served returns when a resource can be listed.
func (c *cluster) served(ctx context.Context, resource schema.GroupVersionResource) error {
	return eventually(ctx, resource.Resource+" were served", 30*time.Second, func() error {
		_, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
		return err
	})
}

// leadToAdapter makes the external metrics API lead to KEDA's adapter on this machine, and returns when it does.
func (c *cluster) leadToAdapter(ctx context.Context, port int) error {
	if err := c.apply(ctx, fmt.Sprintf(`apiVersion: v1
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
	return eventually(ctx, "the external metrics API was served", time.Minute, func() error {
		service, err := c.dynamic.Resource(apiServices).Get(ctx, "v1beta1.external.metrics.k8s.io", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return condition(service, "Available")
	})
}

// condition is no error when the object's condition is true.
func condition(object *unstructured.Unstructured, name string) error {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		if fields, ok := entry.(map[string]any); ok && fields["type"] == name && fields["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("%s %s is not %s: %v", object.GetKind(), object.GetName(), name, conditions)
}

func (c *cluster) makeNamespace(ctx context.Context, name string) error {
	return c.apply(ctx, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}\n")
}

// deleteNamespace asks for its end and waits for none of it.
func (c *cluster) deleteNamespace(ctx context.Context, name string) error {
	return c.kube.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
}

// deletePod ends a pod as its kubelet does when its containers are gone.
func (c *cluster) deletePod(ctx context.Context, namespace, name string, uid types.UID) error {
	now := int64(0)
	return c.kube.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &uid},
	})
}
