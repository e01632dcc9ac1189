package servers

import (
	"fmt"
	"path/filepath"
	"time"
)

// NatsServer is one nats-server with JetStream, which can be stopped and started on its ports and data.
type NatsServer struct {
	programs   *Processes
	program    string
	port       int
	monitoring int
	process    *Process
}

// NewNatsServer starts it.
func NewNatsServer(programs *Processes, bin string) (*NatsServer, error) {
	free, err := FreePorts(2)
	if err != nil {
		return nil, err
	}
	n := &NatsServer{programs: programs, program: filepath.Join(bin, "nats-server"), port: free[0], monitoring: free[1]}
	return n, n.Start()
}

// URL is for clients.
func (n *NatsServer) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.port) }

// MonitoringURL is of a path of its HTTP port.
func (n *NatsServer) MonitoringURL(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d%s", n.monitoring, path)
}

// Start returns at once.
func (n *NatsServer) Start() error {
	process, err := n.programs.Start("nats-server", nil, n.program, "-a", "127.0.0.1", "-p", fmt.Sprint(n.port),
		"-m", fmt.Sprint(n.monitoring), "-js", "-sd", filepath.Join(n.programs.Dir, "jetstream"))
	n.process = process
	return err
}

// Stop returns when it has ended; its data stay.
func (n *NatsServer) Stop() {
	n.programs.Forget(n.process)
	n.process.Stop(5 * time.Second)
}
