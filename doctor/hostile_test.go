package doctor

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hostileSite serves HTTP as a program would that wants to harm who asks it.
func hostileSite(t *testing.T, h http.HandlerFunc) *Caller {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then a handler is told that its client has gone
		h(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	c := NewCaller("http", netip.MustParseAddrPort(s.Listener.Addr().String()), "")
	c.client.Timeout = 300 * time.Millisecond
	return c
}

func TestAnAnswerThatNeverEndsIsCutOff(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"an endless body": func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 64<<10))
			}
		},
		"a byte at a time": func(w http.ResponseWriter, r *http.Request) {
			for err := error(nil); err == nil && r.Context().Err() == nil; {
				_, err = w.Write([]byte("."))
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
		"nothing at all": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"endless headers": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for n := 0; err == nil; n++ {
				_, err = fmt.Fprintf(conn, "X-%d: %s\r\n", n, strings.Repeat("x", 1000))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := hostileSite(t, answer)
			if err := c.Join(t.Context()); err == nil {
				t.Error("it was taken for a session")
			}
		})
	}
}

func TestATokenGoesNowhereElse(t *testing.T) {
	var got atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
	defer other.Close()
	c := hostileSite(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c.Token = "secret"
	if err := c.Join(t.Context()); err == nil {
		t.Error("a redirect was taken for a session")
	}
	if _, _, err := c.healthy(t.Context()); err == nil {
		t.Error("a redirect was taken for health")
	}
	if got.Load() != 0 {
		t.Errorf("%d requests came to where the server sent it", got.Load())
	}
}

func TestAnAnswerDoesNotMakeDoctorAskEveryone(t *testing.T) {
	c := hostileSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/whep/x/y")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n")
		for port := range 500 {
			_, _ = fmt.Fprintf(w, "a=candidate:1 1 udp 1 192.0.2.1 %d typ host\r\na=candidate:1 1 tcp 1 192.0.2.1 %d typ host\r\n", port+1, port+1)
		}
	})
	if err := c.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.UDP) != maxAddresses || len(c.TCP) != maxAddresses {
		t.Errorf("it would ask %d addresses over UDP and %d over TCP, want %d", len(c.UDP), len(c.TCP), maxAddresses)
	}
}

// What a server answers is quoted, and does not steer the terminal of the operator.
func TestWhatAnAnswerSaysDoesNotSteerTheTerminal(t *testing.T) {
	c := hostileSite(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "\x1b]0;owned\x07\x1b[2J\u009b31m\u202eevil\r\nok       everything\x00"+strings.Repeat("x", 10_000))
	})
	err := c.Join(t.Context())
	if err == nil {
		t.Fatal("it was taken for a session")
	}
	var out strings.Builder
	if err := PrintText(&out, []Finding{{Check: "sign-in", Status: StatusProblem, Found: err.Error(), Suffers: "\x1b[1m", Change: "a\nb"}}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\u009b", "\u202e", "\r", "\x00", "\nok"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("%q is printed as it came", bad)
		}
	}
	if lines := strings.Count(out.String(), "\n"); lines != 3 || out.Len() > 3000 {
		t.Errorf("%d lines, %d bytes:\n%s", lines, out.Len(), out.String())
	}
}

// A TURN server of others may answer anything: a test of it ends all the same.
func TestAHostileTURNServerEndsTheTest(t *testing.T) {
	channel := binary.BigEndian.AppendUint16(nil, 0x4001)
	for name, answer := range map[string]func(net.Conn) error{
		"noise":            func(c net.Conn) error { _, err := c.Write([]byte(strings.Repeat("\xff\x00noise", 1000))); return err },
		"channel data":     func(c net.Conn) error { _, err := c.Write(append(channel, 0xff, 0xff, 1)); return err },
		"a byte at a time": func(c net.Conn) error { time.Sleep(10 * time.Millisecond); _, err := c.Write([]byte{0}); return err },
		"nothing":          func(c net.Conn) error { _, err := c.Read(make([]byte, 1000)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						for answer(conn) == nil {
						}
					}()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			test := relayTest{url: "turn:" + l.Addr().String() + "?transport=tcp", username: "u", password: "p"}
			if r := test.run(ctx, hostileSite(t, http.NotFound)); r.err == nil {
				t.Error("it was taken for a relay")
			}
		})
	}
}
