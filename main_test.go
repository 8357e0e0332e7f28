package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/store/pgtest"
)

// atOnce is how many tests may run at the same time that wait for servers more than they compute.
const atOnce = 4

// TestMain is the binary itself when a test starts it as a child process.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_IS_CARILLON") == "1" {
		main()
		os.Exit(0)
	}
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		panic(err)
	}
	os.Exit(pgtest.Main(m.Run))
}

// program is a running carillon.
type program struct {
	command *exec.Cmd
	urls    map[string]string // by the name of the listener
	lines   []string          // printed until it was ready
	stderr  bytes.Buffer
}

var anyPorts = []string{"--listen", "127.0.0.1:0", "--media", "127.0.0.1:0", "--turn", "127.0.0.1:0", "--private", "127.0.0.1:0"}

func command(env []string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(append(os.Environ(), "TEST_IS_CARILLON=1", "CARILLON_LOG=warn"), env...)
	return c
}

// start runs `carillon serve` until the test ends and returns when it is ready.
func start(t testing.TB, env []string, args ...string) *program {
	t.Helper()
	return startUnder(t, nil, env, args...)
}

// startUnder is start under another program, such as strace, whose words come first.
func startUnder(t testing.TB, under, env []string, args ...string) *program {
	t.Helper()
	serve := command(env, append([]string{"serve"}, args...)...)
	if len(under) > 0 {
		traced := exec.Command(under[0], append(under[1:], serve.Args...)...)
		traced.Env = serve.Env
		serve = traced
	}
	p := &program{command: serve, urls: map[string]string{}}
	p.command.Stderr = &p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return p
		}
		p.lines = append(p.lines, lines.Text())
		if name, url, ok := strings.Cut(lines.Text(), " "); ok && p.urls[name] == "" {
			p.urls[name] = url
		}
	}
	_ = p.command.Wait()
	t.Fatalf("ended before it was ready:\n%s", p.stderr.String())
	return nil
}

func (p *program) stop(t testing.TB) {
	t.Helper()
	if p.command.ProcessState != nil {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	if err := p.command.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.stderr.String())
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// until waits for a condition that another process brings about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
