package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"

	"codeforge.dev/bench/servers"
)

// monitoringProxy stands before NATS' monitoring port and counts what one system asks there.
type monitoringProxy struct {
	port     int
	requests atomic.Int64
	bytes    atomic.Int64
}

func startMonitoringProxy(target string) (*monitoringProxy, error) {
	free, err := servers.FreePorts(1)
	if err != nil {
		return nil, err
	}
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	p := &monitoringProxy{port: free[0]}
	forward := httputil.NewSingleHostReverseProxy(to)
	forward.ModifyResponse = func(response *http.Response) error {
		p.requests.Add(1)
		response.Body = &countedBody{response.Body, &p.bytes}
		return nil
	}
	// A server that is away is a broken connection to whoever asks.
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", p.port), Handler: forward}
	go func() { _ = server.ListenAndServe() }()
	return p, nil
}

// countedBody counts what is read of it: a long answer comes in chunks, and does not tell its length.
type countedBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (c *countedBody) Read(into []byte) (int, error) {
	read, err := c.ReadCloser.Read(into)
	c.bytes.Add(int64(read))
	return read, err
}

// address is what a ScaledObject names; empty for a system that asks elsewhere.
func (p *monitoringProxy) address() string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("127.0.0.1:%d", p.port)
}

// operatorMessages counts what our operator has sent to NATS: all connections but those of this program.
func operatorMessages(server *servers.NatsServer) (int64, error) {
	response, err := http.Get(server.MonitoringURL("/connz?limit=1024"))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var seen struct {
		Connections []struct {
			Name   string `json:"name"`
			InMsgs int64  `json:"in_msgs"`
		} `json:"connections"`
	}
	if err := json.NewDecoder(response.Body).Decode(&seen); err != nil {
		return 0, err
	}
	var sent int64
	for _, connection := range seen.Connections {
		if !strings.HasPrefix(connection.Name, servers.Admin) {
			sent += connection.InMsgs
		}
	}
	return sent, nil
}

// requestsAMinute of a cell's namespace while it was open.
func requestsAMinute(requests []servers.APIRequest, c *cell) float64 {
	count := 0
	for _, request := range requests {
		if request.ObjectRef.Namespace == c.namespace && request.Received.After(c.loadStart) && request.Received.Before(c.ended) {
			count++
		}
	}
	return float64(count) / c.ended.Sub(c.loadStart).Minutes()
}
