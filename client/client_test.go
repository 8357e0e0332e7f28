package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"carillon/refusal"
	"carillon/wire"
)

// How it behaves against a real server is tested in package signaling.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestJitterGrowsToTwentySeconds(t *testing.T) {
	for attempt, most := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 20 * time.Second, 20 * time.Second} {
		for range 100 {
			if wait, ok := Jitter(attempt); !ok || wait < 0 || wait >= most {
				t.Errorf("attempt %d: wait %v, want less than %v", attempt, wait, most)
			}
		}
	}
	if wait, _ := Jitter(1 << 30); wait >= 20*time.Second {
		t.Errorf("after long: wait %v", wait)
	}
}

func TestWhatStopsAClient(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errors.New("connection refused"), false},
		{&websocket.CloseError{Code: 1006}, false},
		{&websocket.CloseError{Code: wire.CloseShutdown}, false},
		{&websocket.CloseError{Code: wire.CloseSlow}, false},
		{fmt.Errorf("read: %w", &websocket.CloseError{Code: wire.CloseSignedOut}), true},
		{&websocket.CloseError{Code: wire.CloseReplaced}, true},
		{refusal.New(refusal.TokenExpired, "x"), false},
		{refusal.New(refusal.TokenWrongKey, "x"), true},
		{refusal.New(refusal.TooManyTabs, "x"), false},
	} {
		if got := isFinal(c.err); got != c.want {
			t.Errorf("%v: final is %v, want %v", c.err, got, c.want)
		}
	}
}

func TestASilentServerIsGoneAfterTwoPings(t *testing.T) {
	var up websocket.Upgrader
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.Close()
		if _, _, err := ws.ReadMessage(); err != nil { // hello
			t.Error(err)
			return
		}
		id := int64(1)
		if err := ws.WriteJSON(wire.Frame{ID: &id, Result: mustJSON(wire.Welcome{PingMS: 1})}); err != nil {
			t.Error(err)
		}
		_, _, _ = ws.ReadMessage() // says nothing more, until the client goes
	}))
	defer server.Close()
	lost := make(chan error, 1)
	c, err := Dial(t.Context(), Options{
		URL:     "ws" + strings.TrimPrefix(server.URL, "http"),
		Token:   func(context.Context) (string, error) { return "token", nil },
		Lost:    func(err error) { lost <- err },
		Backoff: func(int) (time.Duration, bool) { return 0, false },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := <-lost; !os.IsTimeout(err) {
		t.Errorf("lost by %v, want a timeout", err)
	}
}

func TestServerSaysHowLongToWait(t *testing.T) {
	wait, told := toldToWait(&websocket.CloseError{Code: wire.CloseShutdown, Text: "1234"})
	if !told || wait != 1234*time.Millisecond {
		t.Errorf("got %v, %v", wait, told)
	}
	for _, err := range []error{errors.New("x"), &websocket.CloseError{Code: wire.CloseShutdown, Text: "internal"}, &websocket.CloseError{Code: wire.CloseSlow, Text: "5"}} {
		if _, told := toldToWait(err); told {
			t.Errorf("%v: taken for a time to wait", err)
		}
	}
}
