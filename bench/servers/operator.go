package servers

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// Operator is one operator, which can be stopped and started again.
type Operator struct {
	name        string
	programs    *Processes
	jar         Jar
	environment []string
	port        int
	process     *Process
}

// NewOperator prepares an operator that uses the API server as a user. env adds to its environment, and wins.
func NewOperator(programs *Processes, c *ControlPlane, nats *NatsServer, name, user string, jar Jar, env ...string) (*Operator, error) {
	kubeconfig, err := c.Kubeconfig(user)
	if err != nil {
		return nil, err
	}
	free, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	connection := filepath.Join(programs.Dir, "operator-nats")
	if err := os.MkdirAll(connection, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(connection, "url"), []byte(nats.URL()), 0o600); err != nil {
		return nil, err
	}
	environment := []string{
		"KUBECONFIG=" + kubeconfig, "CODEFORGE_NAMESPACE=codeforge-system", "CODEFORGE_POD_NAME=" + name,
		"CODEFORGE_LEADER_ELECTION=false", `CODEFORGE_WORKER_IMAGES={"command":"bench"}`,
		"CODEFORGE_SUBJECT_TEMPLATE=tasks.agent.{namespace}.{pool}", "CODEFORGE_NATS_DIR=" + connection,
		fmt.Sprintf("CODEFORGE_HTTP_PORT=%d", free[0]),
	}
	return &Operator{name: name, programs: programs, jar: jar, environment: append(environment, env...), port: free[0]}, nil
}

// Start returns when it is ready.
func (o *Operator) Start(ctx context.Context) error {
	process, err := o.jar.Start(o.programs, o.name, "operator", o.environment...)
	if err != nil {
		return err
	}
	o.process = process
	return Eventually(ctx, "the operator was ready", time.Minute, func() error {
		return Good(fmt.Sprintf("http://127.0.0.1:%d/readyz", o.port))
	})
}

// Stop asks it to end, and returns when it has ended.
func (o *Operator) Stop() {
	o.programs.Forget(o.process)
	o.process.Stop(30 * time.Second)
}

// Kill ends it at once.
func (o *Operator) Kill() {
	o.programs.Forget(o.process)
	o.process.Kill()
}

// Usage is of its process.
func (o *Operator) Usage() (Usage, error) { return UsageOf(o.PID()) }

// PID is of its process.
func (o *Operator) PID() int { return o.process.cmd.Process.Pid }

// Metric is the sum of its metrics whose line begins so.
func (o *Operator) Metric(prefix string) (float64, error) { return Metric(o.port, prefix) }

// Metric is the sum of the values of all lines that begin so, on a program's port for probes.
func Metric(port int, prefix string) (float64, error) {
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	sum, found := 0.0, false
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), prefix) {
			continue
		}
		fields := strings.Fields(lines.Text())
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", lines.Text(), err)
		}
		sum, found = sum+value, true
	}
	if !found {
		return 0, fmt.Errorf("there is no metric %s", prefix)
	}
	return sum, lines.Err()
}

// StartOperator returns when the only operator is ready.
func StartOperator(ctx context.Context, programs *Processes, c *ControlPlane, nats *NatsServer, user string, jar Jar) error {
	operator, err := NewOperator(programs, c, nats, "codeforge-operator", user, jar)
	if err != nil {
		return err
	}
	return operator.Start(ctx)
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
