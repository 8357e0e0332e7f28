// Package natstest starts clusters of Debian's nats-server for tests, on loopback.
package natstest

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"carillon/tcp/tcptest"
)

// Cluster is some servers, each of which knows all others. A server that was killed keeps its
// place and its ports.
type Cluster struct {
	t       testing.TB
	clients []string // host:port of each server, for clients
	routes  []string // and for the other servers

	mu      sync.Mutex
	running []*exec.Cmd // nil: it does not run
	output  []*bytes.Buffer
}

// Start starts n servers and waits until they take clients. They end with the test.
func Start(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{t: t, running: make([]*exec.Cmd, n)}
	for range n {
		c.clients, c.routes = append(c.clients, tcptest.Address(t)), append(c.routes, tcptest.Address(t))
		c.output = append(c.output, &bytes.Buffer{})
	}
	t.Cleanup(c.KillAll)
	for i := range n {
		c.Run(i)
	}
	return c
}

// URL names all servers, as clients take it.
func (c *Cluster) URL() string { return "nats://" + strings.Join(c.clients, ",nats://") }

// ServerURL names one server.
func (c *Cluster) ServerURL(i int) string { return "nats://" + c.clients[i] }

// Index is which server a client calls by this URL.
func (c *Cluster) Index(url string) int {
	return slices.Index(c.clients, strings.TrimPrefix(url, "nats://"))
}

// Run starts a server that does not run, and waits until it takes clients.
func (c *Cluster) Run(i int) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	_, port, _ := net.SplitHostPort(c.clients[i])
	cmd := exec.Command(program(), "--addr", "127.0.0.1", "--port", port,
		"--no_advertise", "--cluster_name", "carillon", "--cluster", "nats://"+c.routes[i], "--routes", "nats://"+strings.Join(c.routes, ",nats://"))
	cmd.Stdout, cmd.Stderr = c.output[i], c.output[i]
	if err := cmd.Start(); err != nil {
		c.t.Fatalf("start nats-server (Debian's package of that name): %v", err)
	}
	c.running[i] = cmd
	deadline := time.Now().Add(20 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", c.clients[i], time.Second)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			c.killLocked(i)
			c.t.Fatalf("nats-server does not answer: %v\n%s", err, c.output[i])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// program is where Debian has it, which is not on every PATH.
func program() string {
	if path, err := exec.LookPath("nats-server"); err == nil {
		return path
	}
	return "/usr/sbin/nats-server"
}

// Kill ends a server at once.
func (c *Cluster) Kill(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killLocked(i)
}

// KillAll ends all of them at once.
func (c *Cluster) KillAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.running {
		c.killLocked(i)
	}
}

func (c *Cluster) killLocked(i int) {
	if cmd := c.running[i]; cmd != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, so its exit code says nothing
		c.running[i] = nil
	}
}

// Pause stops a server without ending it: it answers nobody, and its connections stay open.
func (c *Cluster) Pause(i int) { c.signal(i, syscall.SIGSTOP) }

// Continue ends a Pause.
func (c *Cluster) Continue(i int) { c.signal(i, syscall.SIGCONT) }

func (c *Cluster) signal(i int, s syscall.Signal) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.running[i].Process.Signal(s); err != nil {
		c.t.Fatal(fmt.Errorf("signal nats-server %d: %w", i, err))
	}
}
