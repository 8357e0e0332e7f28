package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/refusal"
	"carillon/wire"
)

// A guest's page that is open when the operator turns guests off loses its connection with the
// restart, and does not get another.
func TestGuestsThereAreEndWithAuthGuests(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	keys := "CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789"
	open := start(t, []string{keys, "CARILLON_AUTH_GUESTS=true", "CARILLON_REACH_GUESTS=support"}, append(anyPorts, "--data", data)...)
	answer, err := http.Post(open.urls["http"]+"/api/v1/guests", "application/json", strings.NewReader(`{"name":"Visitor"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var guest struct{ Token string }
	if err := json.NewDecoder(answer.Body).Decode(&guest); err != nil {
		t.Fatal(err)
	}
	page, greeted := greet(t, open, guest.Token)
	if greeted.Error != nil {
		t.Fatalf("while guests may come: %s", greeted.Error.Message)
	}
	open.stop(t)
	for {
		if _, _, err = page.ReadMessage(); err != nil {
			break
		}
	}
	if !websocket.IsCloseError(err, wire.CloseShutdown) {
		t.Errorf("the open page: got %v, want it to come back", err)
	}

	closed := start(t, []string{keys}, append(anyPorts, "--data", data)...)
	page, greeted = greet(t, closed, guest.Token)
	if greeted.Error == nil || greeted.Error.Data.Code != refusal.TokenRevoked {
		t.Errorf("came back: got %+v, want %s", greeted, refusal.TokenRevoked)
	}
	if _, _, err := page.ReadMessage(); !websocket.IsCloseError(err, wire.CloseSignedOut) {
		t.Errorf("came back: got %v, want close %d, which means stop", err, wire.CloseSignedOut)
	}
}

// greet opens a page's WebSocket and says hello.
func greet(t *testing.T, p *program, token string) (*websocket.Conn, wire.Frame) {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	c, _, err := dialer.Dial(strings.Replace(p.urls["http"], "http", "ws", 1)+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	hello, err := json.Marshal(wire.Hello{Token: token, Protocol: wire.Protocol, Tab: "tab-00000001", Device: "device-00000001"})
	if err != nil {
		t.Fatal(err)
	}
	id := int64(1)
	if err := c.WriteJSON(wire.Frame{JSONRPC: "2.0", ID: &id, Method: "hello", Params: hello}); err != nil {
		t.Fatal(err)
	}
	var f wire.Frame
	_, message, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(message), "\n") // several frames may share a message
	if err := json.Unmarshal([]byte(first), &f); err != nil {
		t.Fatal(err)
	}
	return c, f
}
