package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// natsServer is one nats-server with JetStream, which can be stopped and started on its ports and data.
type natsServer struct {
	programs   *processes
	program    string
	port       int
	monitoring int
	process    *process
}

func newNatsServer(programs *processes, bin string) (*natsServer, error) {
	free, err := ports(2)
	if err != nil {
		return nil, err
	}
	n := &natsServer{programs: programs, program: filepath.Join(bin, "nats-server"), port: free[0], monitoring: free[1]}
	return n, n.start()
}

func (n *natsServer) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.port) }

func (n *natsServer) monitoringURL(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", n.monitoring, path)
}

func (n *natsServer) start() error {
	process, err := n.programs.start("nats-server", nil, n.program, "-a", "127.0.0.1", "-p", fmt.Sprint(n.port),
		"-m", fmt.Sprint(n.monitoring), "-js", "-sd", filepath.Join(n.programs.dir, "jetstream"))
	n.process = process
	return err
}

func (n *natsServer) stop() {
	n.programs.forget(n.process)
	n.process.stop(5 * time.Second)
}

// startOperator runs the jar with the options that the chart gives it.
func startOperator(ctx context.Context, programs *processes, c *controlPlane, nats *natsServer, java, options, jar string) error {
	kubeconfig, err := c.kubeconfig(userOperator)
	if err != nil {
		return err
	}
	free, err := ports(1)
	if err != nil {
		return err
	}
	connection := filepath.Join(programs.dir, "operator-nats")
	if err := os.MkdirAll(connection, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(connection, "url"), []byte(nats.url()), 0o600); err != nil {
		return err
	}
	if _, err := programs.start("codeforge-operator", []string{
		"JDK_JAVA_OPTIONS=" + options,
		"KUBECONFIG=" + kubeconfig, "CODEFORGE_NAMESPACE=codeforge-system", "CODEFORGE_POD_NAME=codeforge-operator",
		"CODEFORGE_LEADER_ELECTION=false", `CODEFORGE_WORKER_IMAGES={"command":"bench"}`,
		"CODEFORGE_SUBJECT_TEMPLATE=tasks.agent.{namespace}.{pool}", "CODEFORGE_NATS_DIR=" + connection,
		fmt.Sprintf("CODEFORGE_HTTP_PORT=%d", free[0]),
	}, java, "-cp", jar+":"+filepath.Join(filepath.Dir(jar), "lib")+"/*", "dev.codeforge.Main", "operator"); err != nil {
		return err
	}
	return eventually(ctx, "the operator was ready", time.Minute, func() error {
		return good(fmt.Sprintf("http://127.0.0.1:%d/readyz", free[0]))
	})
}

// startKeda runs its operator and its metrics adapter; the APIService that leads to the adapter's port is ours to make.
func startKeda(ctx context.Context, programs *processes, c *controlPlane, bin string) (adapter int, err error) {
	free, err := ports(5)
	if err != nil {
		return 0, err
	}
	adapter = free[0]
	grpc, metrics, health, adapterMetrics := free[1], free[2], free[3], free[4]
	operatorConfig, err := c.kubeconfig(userKeda)
	if err != nil {
		return 0, err
	}
	adapterConfig, err := c.kubeconfig(userKedaAdapter)
	if err != nil {
		return 0, err
	}
	env := []string{"POD_NAMESPACE=keda", "KEDA_CLUSTER_OBJECT_NAMESPACE=keda", "WATCH_NAMESPACE="}
	if _, err := programs.start("keda-operator", append(env, "KUBECONFIG="+operatorConfig), filepath.Join(bin, "keda-operator"),
		"--leader-elect=false", "--enable-cert-rotation=false", "--enable-webhook-patching=false",
		"--enable-apiservice-patching=false", "--cert-dir="+c.certs.dir,
		fmt.Sprintf("--metrics-service-bind-address=127.0.0.1:%d", grpc),
		fmt.Sprintf("--metrics-bind-address=127.0.0.1:%d", metrics),
		fmt.Sprintf("--health-probe-bind-address=127.0.0.1:%d", health)); err != nil {
		return 0, err
	}
	if err := eventually(ctx, "KEDA was ready", time.Minute, func() error {
		return good(fmt.Sprintf("http://127.0.0.1:%d/readyz", health))
	}); err != nil {
		return 0, err
	}
	_, err = programs.start("keda-adapter", append(env, "KUBECONFIG="+adapterConfig), filepath.Join(bin, "keda-adapter"),
		fmt.Sprintf("--secure-port=%d", adapter), "--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", adapterMetrics),
		"--lister-kubeconfig="+adapterConfig, "--authentication-kubeconfig="+adapterConfig,
		"--authorization-kubeconfig="+adapterConfig, "--client-ca-file="+c.certs.path("ca.crt"),
		"--tls-cert-file="+c.certs.path("tls.crt"), "--tls-private-key-file="+c.certs.path("tls.key"),
		"--cert-dir="+c.certs.dir, fmt.Sprintf("--metrics-service-address=localhost:%d", grpc))
	return adapter, err
}

func good(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
