package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/sfu/sfutest"
	"carillon/turn"
	"carillon/wire"
)

// idler is a server of which somebody wants nothing but its time.
type idler struct {
	*testing.T
	*program
	token string
}

// open connects to a listener, named as in what the server prints, and writes first.
func (i *idler) open(listener, first string) net.Conn {
	i.Helper()
	_, address, _ := strings.Cut(i.urls[listener], ":") // of SCHEME://ADDRESS, or of a TURN URL
	address, _, _ = strings.Cut(strings.TrimPrefix(address, "//"), "?")
	c, err := net.Dial("tcp", address)
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, first); err != nil {
		i.Fatal(err)
	}
	return c
}

// secure is open over TLS.
func (i *idler) secure(listener, first string) {
	i.Helper()
	c := tls.Client(i.open(listener, ""), &tls.Config{InsecureSkipVerify: true})
	if _, err := io.WriteString(c, first); err != nil {
		i.Fatal(err)
	}
}

// socket opens a WebSocket, and says hello with the token if there is one.
func (i *idler) socket(hello string) {
	i.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	c, _, err := dialer.Dial(strings.Replace(i.urls["https"], "https", "wss", 1)+"/ws", nil)
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() { _ = c.Close() })
	if hello == "" {
		return
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte(hello)); err != nil {
		i.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); err != nil { // and nothing more is read
		i.Fatal(err)
	}
}

// publish connects a peer by WHIP, with a microphone, a camera and data channels, which then
// sends nothing.
func (i *idler) publish(cfg sfutest.Config) {
	i.Helper()
	client, err := sfutest.New(cfg, i.whip)
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() { _ = client.Close() })
	if err := client.Dial(i.Context()); err != nil {
		i.Fatal(err)
	}
}

func (i *idler) whip(ctx context.Context, offer string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.urls["https"]+"/whip/stage", strings.NewReader(offer))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/sdp")
	r.Header.Set("Authorization", "Bearer "+i.token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s: %s", answer.Status, text)
	}
	return string(text), err
}

// relay opens a relay over a transport.
func (i *idler) relay(listener string) {
	i.Helper()
	name, password := turn.Credential(turnSecret, "alice", time.Now().Add(time.Hour))
	_, end, err := turn.Probe{URL: i.urls[listener], Username: name, Password: password, Insecure: true}.Open(i.Context())
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(end)
}

// offer publishes by WHIP and never connects.
func (i *idler) offer() {
	i.Helper()
	if _, err := i.whip(i.Context(), offerSlots(i.T, 1)); err != nil {
		i.Fatal(err)
	}
}

// TestNobodyHoldsUpAStop stops a server while somebody holds on to each of its listeners, in
// each way that there is. The time that requests and tabs get to finish passes once, and not
// for one after the other.
func TestNobodyHoldsUpAStop(t *testing.T) {
	cert, key := writeCertificateUntil(t, t.TempDir(), 1, time.Now().Add(90*24*time.Hour))
	env := []string{
		"CARILLON_HTTP_CERT=" + cert, "CARILLON_HTTP_KEY=" + key,
		"CARILLON_AUTH_KEYS=site=" + siteKey,
		"CARILLON_TURN_TLS=127.0.0.1:0", "CARILLON_TURN_CERT=" + cert, "CARILLON_TURN_KEY=" + key,
		"CARILLON_TURN_SECRETS=" + turnSecret,
	}
	token, err := command(env, "token", "--user", "alice", "--conversations", "stage").Output()
	if err != nil {
		t.Fatal(err)
	}
	const half = "GET / HTTP/1.1\r\nHost:"
	const handshake = "\x16\x03\x01\x02\x00" // the beginning of TLS
	const binding = "\x00\x01\x00\x13\x21\x12\xa4\x42............\x00\x06\x00\x0bnobody:else\x00"
	i := &idler{T: t, program: start(t, env, append(anyPorts, "--data", t.TempDir())...), token: strings.TrimSpace(string(token))}

	i.open("https", "")
	i.open("https", handshake)
	i.secure("https", "")
	i.secure("https", half)
	i.secure("https", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") // and no other request
	i.secure("https", "POST /whip/stage HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 1000\r\nAuthorization: Bearer "+i.token+"\r\n\r\nv=0\r\n")
	i.open("private", "")
	i.open("private", half)

	i.socket("")
	i.socket(`{"jsonrpc":"2.0","id":1,"method":"hello","params":{"token":"` + i.token + `","protocol":` + fmt.Sprint(wire.Protocol) + `,"tab":"tab-00000001","device":"device-00000001"}}`)

	i.open("media-tcp", "")
	i.open("media-tcp", "\x00\x24"+binding) // for a peer that is not there
	i.offer()
	i.publish(sfutest.Config{})
	i.publish(sfutest.Config{TCP: true})

	i.open("turn-tcp", "")
	i.open("turn-tcp", binding[:10])
	i.open("turn-tls", "")
	i.open("turn-tls", handshake)
	i.secure("turn-tls", "")
	i.relay("turn-udp")
	i.relay("turn-tcp")
	i.relay("turn-tls")

	if err := i.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(2*shutdownTime-time.Second, func() { _ = i.command.Process.Signal(syscall.SIGQUIT) }) // it prints where
	defer stuck.Stop()
	if err := i.command.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%.20000s", err, i.stderr.String())
	}
}
