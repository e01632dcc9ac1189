package servers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Jar is the built program with the java that runs it.
type Jar struct {
	Java, Options, Path string
}

// Start runs one of the jar's commands.
func (j Jar) Start(programs *Processes, name, command string, env ...string) (*Process, error) {
	return programs.Start(name, append([]string{"JDK_JAVA_OPTIONS=" + j.Options}, env...), j.Java,
		"-cp", j.Path+":"+filepath.Join(filepath.Dir(j.Path), "lib")+"/*", "dev.codeforge.Main", command)
}

// StartOperator returns when it is ready.
func StartOperator(ctx context.Context, programs *Processes, c *ControlPlane, nats *NatsServer, user string, jar Jar) error {
	kubeconfig, err := c.Kubeconfig(user)
	if err != nil {
		return err
	}
	free, err := FreePorts(1)
	if err != nil {
		return err
	}
	connection := filepath.Join(programs.Dir, "operator-nats")
	if err := os.MkdirAll(connection, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(connection, "url"), []byte(nats.URL()), 0o600); err != nil {
		return err
	}
	if _, err := jar.Start(programs, "codeforge-operator", "operator",
		"KUBECONFIG="+kubeconfig, "CODEFORGE_NAMESPACE=codeforge-system", "CODEFORGE_POD_NAME=codeforge-operator",
		"CODEFORGE_LEADER_ELECTION=false", `CODEFORGE_WORKER_IMAGES={"command":"bench"}`,
		"CODEFORGE_SUBJECT_TEMPLATE=tasks.agent.{namespace}.{pool}", "CODEFORGE_NATS_DIR="+connection,
		fmt.Sprintf("CODEFORGE_HTTP_PORT=%d", free[0])); err != nil {
		return err
	}
	return Eventually(ctx, "the operator was ready", time.Minute, func() error {
		return Good(fmt.Sprintf("http://127.0.0.1:%d/readyz", free[0]))
	})
}

// Good is no error when the URL answers 200.
func Good(url string) error {
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
