package turn

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"carillon/tcp/tcptest"
)

// files is how many the server's process may have open.
const files = 80

// TestRelaysLeaveDescriptors opens relays until there are no more, and then comes over TCP.
func TestRelaysLeaveDescriptors(t *testing.T) {
	_, out := tcptest.Child(t)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := subject{}
	s.udp, s.tcp, _ = strings.Cut(strings.TrimSpace(line), " ")
	relays := 0
	for code := 0; code == 0 && relays < files; relays++ {
		code = s.newClient(t, "udp", fmt.Sprint("user", relays)).code(methodAllocate, overUDP)
		if code != 0 && code != 508 {
			t.Fatalf("an Allocate is answered with %d", code)
		}
	}
	if relays < files/4 {
		t.Errorf("%d relays were opened", relays)
	}
	if got := s.newClient(t, "tcp", "alice").code(methodBinding); got != 0 {
		t.Errorf("a Binding over TCP is answered with %d", got)
	}
}

// TestPoorProcess is the child of the test above; by itself it has nothing to show.
func TestPoorProcess(t *testing.T) {
	child, err := tcptest.InChild(files)
	if !child {
		return
	}
	cfg := Config{Secrets: []string{secret}, UDP: []string{"127.0.0.1:0"}, TCP: []string{"127.0.0.1:0"}, Quota: Quota{Total: -1}}
	var s *Server
	if err == nil {
		s, err = New(cfg, slog.New(slog.DiscardHandler), nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.address("udp"), s.address("tcp"))
	io.Copy(io.Discard, os.Stdin) // until the parent has seen enough
	s.Close()
	os.Exit(0)
}
