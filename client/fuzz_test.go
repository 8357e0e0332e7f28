package client

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/chat"
	"carillon/wire"
)

// A server may send what it likes: the client hands out changes in order, and nothing else of it
// does harm.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","method":"change","params":{"feed":"c","pos":1,"type":"message","data":{}}}` + "\n" + `{"method":"ping"}`))
	f.Add([]byte(`{"method":"change","params":{"feed":"me","pos":7,"type":"membership","data":{"conversation":"c","state":"joined"}}}`))
	f.Add([]byte(`{"method":"greeting","params":{"items":[{"pos":3},{"pos":2}],"pos":9,"conversations":[{"id":"c","mine":{"state":"joined"}}],"calls":[{"call":{}}]}}`))
	f.Add([]byte(`{"id":1,"result":{}}` + "\n" + `{"id":-9223372036854775808,"error":{}}`))
	f.Add([]byte(`{"method":"synced","params":{"at":9e18}}`))
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
		last := map[string]int64{}
		c := newClient(Options{Change: func(c wire.Change) {
			began := bytes.Contains(message, []byte("membership")) && c.Feed != chat.OwnFeed // a feed may be forgotten
			if before, had := last[c.Feed]; had && c.Pos <= before && !began {
				t.Errorf("pos %d after %d", c.Pos, last[c.Feed])
			}
			last[c.Feed] = c.Pos
		}})
		conn := &connection{client: c, ws: ws, greeted: map[string]bool{}, waiting: map[int64]func(wire.Frame, bool){}}
		conn.receive(message)
		conn.fail()
	})
}
