package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"carillon/certs/certstest"
	"carillon/tcp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func certificate(t *testing.T) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{certstest.New(t, nil)}, NextProtos: []string{"h2", "http/1.1"}}
}

// open starts a front whose services answer with their own name.
func open(t *testing.T, secure *tls.Config) (address string) {
	t.Helper()
	return openWithin(t, secure, tcp.Config{})
}

func openWithin(t *testing.T, secure *tls.Config, limits tcp.Config) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := New(within(l, limits), secure)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })}
	done := make(chan struct{}, 3)
	go func() { _ = server.Serve(f.HTTP()); done <- struct{}{} }()
	for name, service := range map[string]net.Listener{"relay": f.Relay(), "ice": f.ICE()} {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				c, err := service.Accept()
				if err != nil {
					return
				}
				// What comes after the name shows that no byte was lost.
				first := make([]byte, 22)
				n, _ := io.ReadAtLeast(c, first, map[string]int{"relay": len(channel), "ice": len(framed)}[name])
				c.Write(append([]byte(name+" "), first[:n]...))
				c.Close()
			}
		}()
	}
	t.Cleanup(func() {
		server.Close()
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		for range 3 {
			<-done
		}
	})
	return l.Addr().String()
}

func within(l net.Listener, limits tcp.Config) *tcp.Listener {
	return tcp.NewLimiter(limits, "http.tcp", nil, slog.New(slog.DiscardHandler)).Listen(l)
}

var (
	binding = unhex("000100002112a442000102030405060708090a0b") // a STUN Binding request
	framed  = append([]byte{0, 20}, binding...)                 // the same on ICE-TCP
	channel = unhex("400000040102030405")                       // ChannelData
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func say(t *testing.T, c net.Conn, first []byte) string {
	t.Helper()
	defer c.Close()
	if _, err := c.Write(first); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(c) // a reset is an answer too
	return string(answer)
}

func TestOnePortServesAll(t *testing.T) {
	address := open(t, certificate(t))
	trust := &tls.Config{InsecureSkipVerify: true}
	for _, h2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: h2}
		answer, err := (&http.Client{Transport: transport}).Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		proto, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; string(proto) != want {
			t.Errorf("got %s, want %s", proto, want)
		}
		transport.CloseIdleConnections()
	}
	secure := func() net.Conn {
		c, err := tls.Dial("tcp", address, trust)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	clear := func() net.Conn {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := say(t, secure(), binding); got != "relay "+string(binding) {
		t.Errorf("STUN inside TLS: got %q", got)
	}
	if got := say(t, secure(), channel); !strings.HasPrefix(got, "relay "+string(channel[:4])) {
		t.Errorf("ChannelData inside TLS: got %q", got)
	}
	if got := say(t, clear(), framed); got != "ice "+string(framed) {
		t.Errorf("ICE-TCP: got %q", got)
	}
	if got := say(t, clear(), []byte("GET / HTTP/1.1\r\n\r\n")); !strings.Contains(got, "HTTPS") {
		t.Errorf("HTTP in the clear: got %q, want advice", got)
	}
	for name, nonsense := range map[string][]byte{"zeros": make([]byte, 64), "STUN without length": binding, "0xff": bytes.Repeat([]byte{0xff}, 64)} {
		if got := say(t, clear(), nonsense); got != "" {
			t.Errorf("%s: got %q, want nothing", name, got)
		}
	}
}

func TestWithoutTLSItServesHTTPAndICE(t *testing.T) {
	address := open(t, nil)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if got := say(t, c, framed); got != "ice "+string(framed) {
		t.Errorf("ICE-TCP: got %q", got)
	}
}

func TestClosingDoesNotWaitForSilentConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := New(within(l, tcp.Config{}), nil)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), firstBytes-time.Second)
	defer cancel()
	closed := make(chan struct{})
	go func() { f.Close(); close(closed) }()
	select {
	case <-closed:
	case <-ctx.Done():
		t.Error("Close waited for a connection that said nothing")
		<-closed
	}
}

func FuzzClassify(f *testing.F) {
	for _, seed := range [][]byte{binding, framed, channel, []byte("GET /"), {0x16, 3, 1}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, of := range []func([]byte) (kind, int){classifyPlain, classifyDecrypted} {
			if k, need := of(b); k == kindUnknown && need > 64 {
				t.Errorf("it wants %d bytes before it knows the client", need)
			}
		}
	})
}
