package servers

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
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

var (
	WorkerPools = schema.GroupVersionResource{Group: "codeforge.dev", Version: "v1alpha1", Resource: "workerpools"}
	AgentTasks  = schema.GroupVersionResource{Group: "codeforge.dev", Version: "v1alpha1", Resource: "agenttasks"}
)

// Cluster is the API server as this program uses it.
type Cluster struct {
	Kube    kubernetes.Interface
	Dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

// NewCluster connects lazily.
func NewCluster(config *rest.Config) (*Cluster, error) {
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
	return &Cluster{kube, dynamicClient, mapper}, nil
}

// Apply sends the objects of a YAML text to the server, which merges them.
func (c *Cluster) Apply(ctx context.Context, text string) error {
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
		var resource dynamic.ResourceInterface = c.Dynamic.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			resource = c.Dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
		}
		if _, err := resource.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: Admin, Force: true}); err != nil {
			return fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err)
		}
	}
	return nil
}

// ApplyCRDs applies the files of a folder and returns when all are served.
func (c *Cluster) ApplyCRDs(ctx context.Context, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no CRDs in %s (%w)", folder, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := c.Apply(ctx, strings.TrimPrefix(string(text), "---\n")); err != nil {
			return err
		}
	}
	return nil
}

// Served returns when a resource can be listed.
func (c *Cluster) Served(ctx context.Context, resource schema.GroupVersionResource) error {
	return Eventually(ctx, resource.Resource+" were served", 30*time.Second, func() error {
		_, err := c.Dynamic.Resource(resource).List(ctx, metav1.ListOptions{Limit: 1})
		return err
	})
}

// Condition is no error when the object's condition is true.
func Condition(object *unstructured.Unstructured, name string) error {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		if fields, ok := entry.(map[string]any); ok && fields["type"] == name && fields["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("%s %s is not %s: %v", object.GetKind(), object.GetName(), name, conditions)
}

// MakeNamespace makes a namespace unless it is there.
func (c *Cluster) MakeNamespace(ctx context.Context, name string) error {
	return c.Apply(ctx, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}\n")
}

// Prepare makes what the operator and a benchmark need: the CRDs, the operator's namespace and others.
func (c *Cluster) Prepare(ctx context.Context, crds string, namespaces ...string) error {
	if err := c.ApplyCRDs(ctx, crds); err != nil {
		return err
	}
	for _, resource := range []schema.GroupVersionResource{WorkerPools, AgentTasks} {
		if err := c.Served(ctx, resource); err != nil {
			return err
		}
	}
	for _, name := range append([]string{"codeforge-system"}, namespaces...) {
		if err := c.MakeNamespace(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
