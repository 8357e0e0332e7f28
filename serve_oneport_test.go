package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/doctor"
	"carillon/tcp/tcptest"
	"carillon/turn"
)

const (
	siteKey    = "0123456789012345678901234567890123456789"
	turnSecret = "a secret of the operator"
)

// onePort starts a server whose HTTPS, ICE-TCP and TURN over TLS have one address.
func onePort(t *testing.T) (p *program, address string, args, env []string) {
	t.Helper()
	cert, key := writeCertificateUntil(t, t.TempDir(), 1, time.Now().Add(90*24*time.Hour))
	address = tcptest.Address(t)
	args = []string{"--listen", address, "--media", address, "--private", "127.0.0.1:0", "--data", t.TempDir()}
	env = []string{
		"CARILLON_HTTP_CERT=" + cert, "CARILLON_HTTP_KEY=" + key,
		"CARILLON_AUTH_KEYS=site=" + siteKey,
		"CARILLON_TURN_UDP=", "CARILLON_TURN_TCP=", "CARILLON_TURN_TLS=" + address,
		"CARILLON_TURN_SECRETS=" + turnSecret,
	}
	return start(t, env, args...), address, args, env
}

func TestOnePortIsAllThatListensToCallers(t *testing.T) {
	p, address, _, _ := onePort(t)
	for name, want := range map[string]string{
		"https": "https://" + address, "media-udp": "udp://" + address, "media-tcp": "tcp://" + address,
		"turn-tls": "turns:" + address + "?transport=tcp",
	} {
		if p.urls[name] != want {
			t.Errorf("%s is at %q, want %q", name, p.urls[name], want)
		}
	}
	for _, line := range p.lines {
		if strings.HasPrefix(line, "turn-udp") || strings.HasPrefix(line, "turn-tcp") {
			t.Errorf("it also listens: %s", line)
		}
	}
}

func TestOnePortCarriesPagesAndWebSockets(t *testing.T) {
	_, address, _, _ := onePort(t)
	insecure := &tls.Config{InsecureSkipVerify: true}
	for version, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		transport := &http.Transport{TLSClientConfig: insecure.Clone(), ForceAttemptHTTP2: h2}
		answer, err := (&http.Client{Transport: transport}).Get("https://" + address + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		transport.CloseIdleConnections()
		if answer.StatusCode != http.StatusOK || answer.Proto != version {
			t.Errorf("got %d over %s, want 200 over %s", answer.StatusCode, answer.Proto, version)
		}
	}
	d := websocket.Dialer{TLSClientConfig: insecure}
	conn, _, err := d.Dial("wss://"+address+"/ws", http.Header{"Origin": {"https://" + address}})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

var lossless = regexp.MustCompile(`Total lost packets 0 \(0\.0+%\), total send dropped 0`)

// TestOnePortRelaysForCoturnsClient sends from one relay to another, which the embedded
// server allows besides its own media port.
func TestOnePortRelaysForCoturnsClient(t *testing.T) {
	t.Parallel()
	client, err := exec.LookPath("turnutils_uclient")
	if err != nil {
		t.Fatal("turnutils_uclient is missing: apt-get install coturn")
	}
	_, address, _, _ := onePort(t)
	at := netip.MustParseAddrPort(address)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, client, "-t", "-S", "-y", "-u", "alice", "-W", turnSecret,
		"-n", "10", "-p", fmt.Sprint(at.Port()), at.Addr().String()).CombinedOutput()
	if err != nil || !lossless.Match(out) {
		t.Errorf("turnutils_uclient: %v\n%s", err, out)
	}
}

// TestOnePortCarriesMedia asks the media port over ICE-TCP, over UDP, and through a relay
// that was opened over TLS, all on the one port.
func TestOnePortCarriesMedia(t *testing.T) {
	_, address, args, env := onePort(t)
	at := netip.MustParseAddrPort(address)
	me := doctor.NewCaller("https", at, "")
	token, err := command([]string{"CARILLON_AUTH_KEYS=site=" + siteKey}, "token", "--user", "alice", "--conversations", me.Room).Output()
	if err != nil {
		t.Fatal(err)
	}
	me.Token = strings.TrimSpace(string(token))
	if err := me.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer me.Leave(context.WithoutCancel(t.Context()))
	if !slices.Equal(me.UDP, []netip.AddrPort{at}) || !slices.Equal(me.TCP, []netip.AddrPort{at}) {
		t.Fatalf("callers are told UDP %v and TCP %v, want %s for both", me.UDP, me.TCP, at)
	}
	if _, err := me.AskTCP(t.Context(), at); err != nil {
		t.Errorf("ICE-TCP: %v", err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := me.Ask(t.Context(), conn, at); err != nil {
		t.Errorf("UDP: %v", err)
	}
	name, password := turn.Credential(turnSecret, "alice", time.Now().Add(time.Minute))
	relay, closeRelay, err := turn.Probe{URL: "turns:" + address + "?transport=tcp", Username: name, Password: password, Insecure: true}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeRelay()
	if _, err := me.Ask(t.Context(), relay, at); err != nil {
		t.Errorf("through a relay over TLS: %v", err)
	}

	// Doctor sees the same, and that TURN over TLS needs a name of the certificate.
	all, failed := runDoctor(t, env, args...)
	if failed {
		t.Error("doctor failed")
	}
	expect(t, all, "http.cert", doctor.StatusWarning, "is not trusted") // it is nobody's, but names the address
	expect(t, all, "media TCP", doctor.StatusOK, address)
	expect(t, all, "turn", doctor.StatusOK, "turns:"+address, "reaches the media port")
	all, _ = runDoctor(t, append(env, "CARILLON_TURN_HOST=turn.example.com"), args...)
	expect(t, all, "http.cert", doctor.StatusProblem, "turn.example.com", "turn.host")
}

func TestOnePortWithoutACertificateIsRefused(t *testing.T) {
	address := tcptest.Address(t)
	out, err := command([]string{"CARILLON_TURN_TLS=" + address}, "serve", "--listen", address, "--media", address, "--private", "127.0.0.1:0", "--data", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "http.cert") {
		t.Errorf("got %q, %v, want it to name http.cert", out, err)
	}
}

// TestRelaysReachAWildcard: media on all addresses is the usual setting of a public server.
func TestRelaysReachAWildcard(t *testing.T) {
	env := []string{"CARILLON_AUTH_KEYS=site=" + siteKey, "CARILLON_MEDIA_ADVERTISE=127.0.0.1"}
	args := append(without(anyPorts, "--media"), "--media", "0.0.0.0:0", "--data", t.TempDir())
	start(t, env, args...)
	all, failed := runDoctor(t, env, args...)
	if failed {
		t.Error("doctor failed")
	}
	expect(t, all, "turn", doctor.StatusOK, "transport=udp", "reaches the media port")
	expect(t, all, "turn", doctor.StatusOK, "transport=tcp", "reaches the media port")
}
