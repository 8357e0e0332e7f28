package turn

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// program finds a program that the tests need, or says how to get it.
func program(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs %s: apt-get install %s", name, debianPackage)
	}
	return path
}

// turnutilsPeer runs coturn's echo peer, which answers on two ports, as RTP and RTCP.
func turnutilsPeer(t *testing.T) netip.AddrPort {
	t.Helper()
	path := program(t, "turnutils_peer", "coturn")
	at := freePair(t)
	peer := exec.Command(path, "-L", "127.0.0.1", "-p", fmt.Sprint(at.Port()))
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Process.Kill(); peer.Wait() })
	conn, err := net.Dial("udp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	until(t, "turnutils_peer answers", func() bool {
		conn.Write([]byte("there?"))
		conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := conn.Read(make([]byte, 10))
		return err == nil
	})
	return at
}

// freePair finds an even port that is free together with the next.
func freePair(t *testing.T) netip.AddrPort {
	t.Helper()
	for range 100 {
		s, err := openSocket(netip.MustParseAddr("127.0.0.1"), 20000, 29999, true)
		if err != nil {
			t.Fatal(err)
		}
		above, err := bindUDP(netip.AddrPortFrom(s.bound.Addr(), s.bound.Port()+1), false)
		unix.Close(s.fd)
		if err == nil {
			unix.Close(above)
			return s.bound
		}
	}
	t.Fatal("no two free ports in a row")
	return netip.AddrPort{}
}

var lossless = regexp.MustCompile(`Total lost packets 0 \(0\.0+%\), total send dropped 0`)

// TestCoturnClientPasses runs coturn's own client, as an operator who changes over would.
func TestCoturnClientPasses(t *testing.T) {
	client := program(t, "turnutils_uclient", "coturn")
	cfg := testConfig(t)
	cfg.Quota.PerUser = -1 // they are all alice
	s := start(t, cfg)
	peer := turnutilsPeer(t)
	ephemeral := []string{"-u", "alice", "-W", secret}
	static := []string{"-u", "static", "-w", "password"}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	type passage struct {
		name string
		out  bytes.Buffer
		cmd  *exec.Cmd
	}
	var passages []*passage
	// All at once: each of them spends most of its time waiting.
	for _, run := range []struct {
		name, transport string
		credential      []string
		arguments       []string
	}{
		{"UDP", "udp", ephemeral, nil},
		{"UDP, send method", "udp", ephemeral, []string{"-s"}},
		{"UDP, relay to relay", "udp", ephemeral, []string{"-y"}},
		{"UDP, padded channel data", "udp", ephemeral, []string{"-D"}},
		{"UDP, 1,400 bytes", "udp", ephemeral, []string{"-l", "1400"}},
		{"UDP, static user", "udp", static, nil},
		{"TCP", "tcp", ephemeral, []string{"-t"}},
		{"TCP, send method", "tcp", ephemeral, []string{"-t", "-s"}},
		{"TCP, relay to relay", "tcp", ephemeral, []string{"-t", "-y"}},
		{"TCP, static user", "tcp", static, []string{"-t"}},
		{"TLS", "tls", ephemeral, []string{"-t", "-S"}},
		{"TLS, static user", "tls", static, []string{"-t", "-S"}},
		{"TLS, many clients", "tls", ephemeral, []string{"-t", "-S", "-m", "20"}},
	} {
		at := netip.MustParseAddrPort(s.address(run.transport))
		arguments := slices.Concat(run.arguments, run.credential,
			[]string{"-n", "10", "-p", fmt.Sprint(at.Port()), "-e", "127.0.0.1", "-r", fmt.Sprint(peer.Port()), "127.0.0.1"})
		p := &passage{name: run.name, cmd: exec.CommandContext(ctx, client, arguments...)}
		p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		passages = append(passages, p)
	}
	for _, p := range passages {
		err := p.cmd.Wait()
		t.Run(p.name, func(t *testing.T) {
			if err != nil || !lossless.Match(p.out.Bytes()) {
				t.Errorf("%s: %v\n%s", p.cmd, err, p.out.Bytes())
			}
		})
	}
}

func TestCoturnClientIsRefusedWithAWrongSecret(t *testing.T) {
	client := program(t, "turnutils_uclient", "coturn")
	s := start(t, testConfig(t))
	at := netip.MustParseAddrPort(s.address("udp"))
	out, _ := exec.Command(client, "-u", "alice", "-W", "wrong", "-n", "1", "-p", fmt.Sprint(at.Port()), "-e", "127.0.0.1", "127.0.0.1").CombinedOutput()
	if !strings.Contains(string(out), "Cannot complete Allocation") || s.Relays() != 0 || s.metrics.unauthorized.Load() == 0 {
		t.Errorf("want no relay and a count of the attempt, got %d and %d:\n%s", s.Relays(), s.metrics.unauthorized.Load(), out)
	}
}

func TestCoturnSTUNClientLearnsItsAddress(t *testing.T) {
	client := program(t, "turnutils_stunclient", "coturn")
	for name, stunOnly := range map[string]bool{"with relays": false, "STUN only": true} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.STUNOnly = stunOnly
			s := start(t, cfg)
			at := netip.MustParseAddrPort(s.address("udp"))
			out, err := exec.Command(client, "-p", fmt.Sprint(at.Port()), "127.0.0.1").CombinedOutput()
			if err != nil || !strings.Contains(string(out), "UDP reflexive addr: 127.0.0.1:") {
				t.Errorf("turnutils_stunclient: %v\n%s", err, out)
			}
		})
	}
}
