package client

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/chat"
)

// A server may send what it likes: the client hands out events in order, and nothing else of it
// does harm.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","method":"event","params":{"offset":1,"type":"message","data":{}}}` + "\n" + `{"method":"ping"}`))
	f.Add([]byte(`{"id":1,"result":{}}` + "\n" + `{"id":-9223372036854775808,"error":{}}`))
	f.Add([]byte(`{"method":"synced","params":{"offset":9e18}}`))
	f.Add([]byte("\x00\n[]\nnull\n"))
	var up websocket.Upgrader
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for err == nil { // until the client is gone
			_, _, err = ws.ReadMessage()
		}
	}))
	f.Cleanup(server.Close)
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { ws.Close() })
	f.Fuzz(func(t *testing.T, message []byte) {
		c := &Client{changed: make(chan struct{}), pending: map[string]bool{}}
		last := int64(0)
		c.opts.Event = func(e chat.Event) {
			if e.Offset <= last {
				t.Errorf("event %d after %d", e.Offset, last)
			}
			last = e.Offset
		}
		conn := &connection{client: c, ws: ws}
		conn.receive(message)
		conn.fail()
	})
}
