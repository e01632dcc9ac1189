package main

import (
	"context"
	"fmt"
	"time"

	"codeforge.dev/bench/servers"
)

// connections of one user: more than any step has clients.
const connections = 20_000

// console is the measured server, which can be killed and started on its ports.
type console struct {
	programs    *servers.Processes
	jar         servers.Jar
	environment []string
	port        int
	health      int
	process     *servers.Process
}

func newConsole(ctx context.Context, programs *servers.Processes, plane *servers.ControlPlane, nats *servers.NatsServer, jar servers.Jar) (*console, error) {
	kubeconfig, err := plane.Kubeconfig(userConsole)
	if err != nil {
		return nil, err
	}
	free, err := servers.FreePorts(2)
	if err != nil {
		return nil, err
	}
	c := &console{programs: programs, jar: jar, port: free[0], health: free[1], environment: []string{
		"KUBECONFIG=" + kubeconfig, "NATS_URL=" + nats.URL(),
		fmt.Sprintf("CODEFORGE_CONSOLE_PORT=%d", free[0]), fmt.Sprintf("CODEFORGE_HTTP_PORT=%d", free[1]),
		fmt.Sprintf("CODEFORGE_CONSOLE_CONNECTIONS=%d", connections),
	}}
	return c, c.start(ctx)
}

// start returns when it is ready.
func (c *console) start(ctx context.Context) error {
	process, err := c.jar.Start(c.programs, nameConsole, "console", c.environment...)
	if err != nil {
		return err
	}
	c.process = process
	return servers.Eventually(ctx, "the console was ready", time.Minute, func() error {
		return servers.Good(fmt.Sprintf("http://127.0.0.1:%d/readyz", c.health))
	})
}

func (c *console) kill() {
	c.programs.Forget(c.process)
	c.process.Kill()
}

func (c *console) url() string { return fmt.Sprintf("ws://127.0.0.1:%d/ws", c.port) }

// metric is the sum of a metric's values over all labels that begin so.
func (c *console) metric(name string) (float64, error) { return servers.Metric(c.health, name) }
