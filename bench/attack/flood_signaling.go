package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/wire"
)

// hellos signs in again and again with a token that is wrong.
func hellos(ctx context.Context, w *world) (string, error) {
	return w.signIn(ctx, func() (string, error) {
		return w.forged("site", jwt.SigningMethodHS256, []byte("not the key of the site, but as long"))
	})
}

// unknownKeys signs in again and again with tokens that name keys which are not known.
func unknownKeys(ctx context.Context, w *world) (string, error) {
	before := w.keys.fetches.Load()
	got, err := w.signIn(ctx, func() (string, error) {
		// A real signature of such a key would be refused no later.
		return w.forged(rand.Text(), unsigned{}, nil)
	})
	return fmt.Sprintf("%s; the key server was asked %d times", got, w.keys.fetches.Load()-before), err
}

// unsigned makes tokens that say they are signed by a published key.
type unsigned struct{}

func (unsigned) Alg() string                      { return "EdDSA" }
func (unsigned) Sign(string, any) ([]byte, error) { return make([]byte, 64), nil }
func (unsigned) Verify(string, []byte, any) error { return jwt.ErrTokenSignatureInvalid }

func (w *world) forged(kid string, method jwt.SigningMethod, key any) (string, error) {
	t := jwt.NewWithClaims(method, jwt.RegisteredClaims{
		Subject: alice, Issuer: "https://idp.example", Audience: jwt.ClaimStrings{"attack"},
		IssuedAt: jwt.NewNumericDate(time.Now()), ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	})
	t.Header["kid"] = kid
	return t.SignedString(key)
}

func (w *world) signIn(ctx context.Context, token func() (string, error)) (string, error) {
	var answers outcomes
	repeatedly(ctx, 32, 100_000, 2000, func(ctx context.Context, _, _ int) {
		forged, err := token()
		if err != nil {
			answers.add(err.Error())
			return
		}
		conn, err := w.webSocket(ctx)
		if err != nil {
			answers.add("not connected")
			return
		}
		defer conn.Close()
		answers.add(hello(conn, forged))
	})
	return answers.String(), nil
}

// guests asks for one new guest after another.
func guests(ctx context.Context, w *world) (string, error) {
	client := w.web(attackerRemote, 16)
	defer client.CloseIdleConnections()
	var answers outcomes
	repeatedly(ctx, 16, 100_000, 2000, func(ctx context.Context, _, n int) {
		answer, err := w.askForGuest(ctx, client, n)
		if err != nil {
			answers.add(unanswered)
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		answers.add(strings.ToLower(http.StatusText(answer.StatusCode)))
	})
	return answers.String(), nil
}

func (w *world) askForGuest(ctx context.Context, client *http.Client, n int) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.url("http")+"/api/v1/guests", strings.NewReader(`{"name":"G`+strconv.Itoa(n)+`"}`))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	return client.Do(r)
}

// rings calls carol, who has a page open all the time for this flood, and hangs up at once.
func prepareRings(ctx context.Context, w *world) error { return w.openTab(ctx, carol) }

func rings(ctx context.Context, w *world) (string, error) {
	before := w.tabs[carol].rang.Load()
	var answers outcomes
	repeatedly(ctx, 4, 100_000, 200, func(ctx context.Context, _, _ int) {
		leg, err := w.startCall(ctx, mallory, wire.CallStart{To: carol, Media: call.Audio})
		answers.add(wordOf(err))
		if err == nil {
			_ = w.tabs[mallory].Leave(ctx, leg.Call.ID)
		}
	})
	return fmt.Sprintf("calls: %s; carol's page was told %d times that it rings", &answers, w.tabs[carol].rang.Load()-before), nil
}

// guestRings lets ten guests call alice, who talks to bob meanwhile, and hang up at once.
func prepareGuestRings(ctx context.Context, w *world) error {
	web := w.web(attackerRemote, 1)
	defer web.CloseIdleConnections()
	for n := range 10 {
		answer, err := w.askForGuest(ctx, web, n)
		if err != nil {
			return err
		}
		var guest struct{ Token string }
		err = json.NewDecoder(answer.Body).Decode(&guest)
		_ = answer.Body.Close()
		if err != nil {
			return fmt.Errorf("guest %d: %s: %w", n+1, answer.Status, err)
		}
		page, err := w.dialAs(ctx, guest.Token, attackerRemote, nil)
		if err != nil {
			return fmt.Errorf("guest %d: %w", n+1, err)
		}
		w.guests = append(w.guests, page)
		w.closings = append(w.closings, page.Close)
	}
	return nil
}

func guestRings(ctx context.Context, w *world) (string, error) {
	before := w.tabs[alice].rang.Load()
	var answers outcomes
	repeatedly(ctx, len(w.guests), 100_000, 200, func(ctx context.Context, worker, _ int) {
		leg, err := w.guests[worker].StartCall(ctx, alice, call.Audio)
		answers.add(wordOf(err))
		if err == nil {
			_ = w.guests[worker].Leave(ctx, leg.Call.ID)
		}
	})
	return fmt.Sprintf("calls: %s; alice's page was told %d times that it rings", &answers, w.tabs[alice].rang.Load()-before), nil
}

// pings sends pings of the WebSocket protocol, which the server has to answer.
func pings(ctx context.Context, w *world) (string, error) {
	return w.floodSockets(ctx, func(conn *websocket.Conn) error {
		return conn.WriteControl(websocket.PingMessage, make([]byte, 125), time.Now().Add(time.Second))
	})
}

// fragments begins a message and continues it with empty fragments, without end.
func fragments(ctx context.Context, w *world) (string, error) {
	const (
		text         = 0x01 // the first fragment of a message of text
		continuation = 0x00
		masked       = 0x80
	)
	empty := func(kind byte) []byte { return binary.BigEndian.AppendUint32([]byte{kind, masked}, 0) }
	var begun sync.Map // of connections
	many := bytes.Repeat(empty(continuation), 100)
	return w.floodSockets(ctx, func(conn *websocket.Conn) error {
		if _, loaded := begun.LoadOrStore(conn, true); !loaded {
			if _, err := conn.NetConn().Write(empty(text)); err != nil {
				return err
			}
		}
		_, err := conn.NetConn().Write(many)
		return err
	})
}

// floodSockets opens connections that are signed in, and writes to each as fast as it may. One that
// was closed is opened again.
func (w *world) floodSockets(ctx context.Context, write func(*websocket.Conn) error) (string, error) {
	const count = 8
	token, err := w.token(mallory)
	if err != nil {
		return "", err
	}
	var opened outcomes
	var written atomic.Int64
	conns := make([]*websocket.Conn, count)
	repeatedly(ctx, count, 10_000_000, 20_000, func(ctx context.Context, worker, _ int) {
		conn := conns[worker]
		if conn == nil {
			if conn, err = w.webSocket(ctx); err != nil {
				opened.add("not connected")
				return
			}
			if code := hello(conn, token); code != accepted {
				opened.add(code)
				_ = conn.Close()
				return
			}
			opened.add("opened")
			_ = conn.SetReadDeadline(time.Time{})
			go func() { // ends with the connection
				for {
					if _, _, err := conn.ReadMessage(); err != nil {
						_ = conn.Close()
						return
					}
				}
			}()
			conns[worker] = conn
		}
		if write(conn) != nil {
			opened.add(cutOff)
			conns[worker] = nil
			_ = conn.Close()
			return
		}
		written.Add(1)
	})
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
	return fmt.Sprintf("connections: %s; wrote %d times", &opened, written.Load()), nil
}

// webSocket opens a connection of the attacker that has not said hello.
func (w *world) webSocket(ctx context.Context) (*websocket.Conn, error) {
	dialer, header := w.webSockets(attackerRemote)
	dialer.Subprotocols = []string{wire.Subprotocol}
	conn, _, err := dialer.DialContext(ctx, w.server.url("ws")+"/ws", header)
	return conn, err
}

// hello says hello with a token and tells how the server answered, in a word.
func hello(conn *websocket.Conn, token string) string {
	id := int64(1)
	params, err := json.Marshal(wire.Hello{Token: token, Protocol: wire.Protocol, Tab: rand.Text(), Device: rand.Text()})
	if err != nil {
		return err.Error()
	}
	if conn.WriteJSON(wire.Frame{JSONRPC: "2.0", ID: &id, Method: wire.MethodHello, Params: params}) != nil {
		return cutOff
	}
	_ = conn.SetReadDeadline(time.Now().Add(giveUp))
	_, message, err := conn.ReadMessage()
	if err != nil {
		return cutOff
	}
	var f wire.Frame
	if err := json.NewDecoder(bytes.NewReader(message)).Decode(&f); err != nil {
		return err.Error()
	}
	if f.Error != nil {
		return string(f.Error.Data.Code)
	}
	return accepted
}
