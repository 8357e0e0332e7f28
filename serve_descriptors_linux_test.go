package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestOutOfDescriptors opens more connections than the process may have files, each of which has
// shown what it is for. Those that are there live on, whoever asks for the server's health is
// answered, and the log says what to raise.
func TestOutOfDescriptors(t *testing.T) {
	data := t.TempDir()
	p := startUnder(t, []string{"prlimit", "--nofile=200:200"}, nil, append(anyPorts, "--data", data)...)
	alice := p.dial(t, data, "alice")
	address := strings.TrimPrefix(p.urls["http"], "http://")
	served, refused := 0, 0
	for refused < 20 {
		c, err := net.DialTimeout("tcp", address, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			refused++
			continue
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			refused++
			continue
		}
		answer.Body.Close()
		if served++; served > 200 {
			t.Fatalf("%d connections are open in a process with 200 descriptors", served)
		}
	}
	if served < 100 {
		t.Errorf("%d connections are served with 200 descriptors", served)
	}
	for i := range 20 {
		if _, err := alice.Send(t.Context(), text("bob", fmt.Sprint(i))); err != nil {
			t.Fatalf("a tab that was there: %v", err)
		}
	}
	if said, healthy := health(data); !healthy || said != "ready" {
		t.Errorf("health: got %q, %t", said, healthy)
	}
	p.stop(t)
	if n := strings.Count(p.stderr.String(), "LimitNOFILE="); n == 0 || n > 2 {
		t.Errorf("the log says %d times what to raise, want once a minute:\n%s", n, p.stderr.String())
	}
}
