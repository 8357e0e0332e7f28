package signaling

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/switchboard"
	"carillon/wire"
)

// What comes in is somebody else's: each kind of bad input gets a typed error or a close
// code, and a witness who writes meanwhile notices nothing.

func TestBadFrames(t *testing.T) {
	w := newWorld(t, Config{})
	witness := w.open(0, "witness")
	other := w.open(0, "other")
	theirs := other.send("someone", "private").Conversation
	for name, c := range map[string]struct {
		send string
		want refusal.Code
	}{
		"garbage":                {`garbage`, refusal.BadRequest},
		"empty":                  {``, refusal.BadRequest},
		"half an object":         {`{"jsonrpc":"2.0","id":7,`, refusal.BadRequest},
		"an array":               {`[{"jsonrpc":"2.0","id":7,"method":"session.list"}]`, refusal.BadRequest},
		"binary zeros":           {"\x00\x00", refusal.BadRequest},
		"no version":             {`{"id":7,"method":"session.list"}`, refusal.BadRequest},
		"no method":              {`{"jsonrpc":"2.0","id":7}`, refusal.BadRequest},
		"id of a wrong type":     {`{"jsonrpc":"2.0","id":"seven","method":"session.list"}`, refusal.BadRequest},
		"method wrong type":      {`{"jsonrpc":"2.0","id":7,"method":7}`, refusal.BadRequest},
		"unknown method":         {`{"jsonrpc":"2.0","id":7,"method":"user.delete"}`, refusal.UnknownMethod},
		"note as request":        {`{"jsonrpc":"2.0","id":7,"method":"typing","params":{}}`, refusal.UnknownMethod},
		"params wrong type":      {`{"jsonrpc":"2.0","id":7,"method":"message.send","params":[]}`, refusal.BadRequest},
		"field wrong type":       {`{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"to":7}}`, refusal.BadRequest},
		"deep nesting":           {`{"jsonrpc":"2.0","id":7,"method":"userobject.set","params":{"key":"k","value":` + strings.Repeat("[", 20000) + `}}`, refusal.BadRequest},
		"no client id":           {`{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"to":"bob","kind":"text","text":"x"}}`, refusal.BadRequest},
		"others' messages":       {`{"jsonrpc":"2.0","id":7,"method":"message.page","params":{"conversation":"` + theirs + `"}}`, refusal.NotFound},
		"others' feed":           {`{"jsonrpc":"2.0","id":7,"method":"feed.changes","params":{"feed":"` + theirs + `","after":0}}`, refusal.NotFound},
		"a feed before it began": {`{"jsonrpc":"2.0","id":7,"method":"feed.changes","params":{"feed":"me","after":-1}}`, refusal.BadRequest},
		"others' members":        {`{"jsonrpc":"2.0","id":7,"method":"conversation.members","params":{"conversation":"` + theirs + `"}}`, refusal.NotFound},
		"join others":            {`{"jsonrpc":"2.0","id":7,"method":"conversation.join","params":{"conversation":"` + theirs + `"}}`, refusal.NotFound},
		"leave others":           {`{"jsonrpc":"2.0","id":7,"method":"conversation.leave","params":{"conversation":"` + theirs + `"}}`, refusal.NotFound},
		"typing with others":     {`{"jsonrpc":"2.0","method":"typing","params":{"conversation":7}}`, refusal.BadRequest},
		"too much to watch":      {`{"jsonrpc":"2.0","id":7,"method":"conversation.watch","params":{"conversations":[` + strings.Repeat(`"x",`, 20) + `"x"]}}`, refusal.TooLarge},
		"write to others":        {`{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"conversation":"` + theirs + `","client_id":"c0ffee00","kind":"text","text":"x"}}`, refusal.NotFound},
		"read mark of others":    {`{"jsonrpc":"2.0","id":7,"method":"marks.set","params":{"marks":{"` + theirs + `":{"read":1}}}}`, refusal.NotFound},
		"others' session":        {`{"jsonrpc":"2.0","id":7,"method":"session.sign_out","params":{"id":"AAAAAAAAAAAAAAAA"}}`, refusal.NotFound},
		"second hello":           {`{"jsonrpc":"2.0","id":7,"method":"hello","params":{}}`, refusal.HelloAgain},
		"stolen token":           {`{"jsonrpc":"2.0","id":7,"method":"token.renew","params":{"token":"` + w.token("bob") + `"}}`, refusal.TokenOtherUser},
		"marks before the first": {`{"jsonrpc":"2.0","id":7,"method":"marks.set","params":{"marks":{"x":{"read":-1}}}}`, refusal.BadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.plain(0)
			if f := p.hello(w.token("mallory")); f.Error != nil {
				t.Fatal(f.Error.Message)
			}
			p.write(c.send)
			var got *wire.Error
			p.frames(func(f wire.Frame) bool { got = f.Error; return got != nil })
			if got.Data.Code != c.want {
				t.Errorf("got %s, want %s", got.Data.Code, c.want)
			}
			// The connection still works.
			p.write(`{"jsonrpc":"2.0","id":8,"method":"session.list"}`)
			p.frames(func(f wire.Frame) bool { return f.ID != nil && *f.ID == 8 && f.Error == nil })
		})
	}
	witness.send("other", "all is well")
	other.await("the witness", func() bool { return len(other.texts()) == 2 })
}

func TestRefusedHello(t *testing.T) {
	w := newWorld(t, Config{})
	expired, err := w.verifier.Mint("alice", "Alice", -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	hello := func(edit func(*wire.Hello)) string {
		h := wire.Hello{Token: w.token("alice"), Protocol: wire.Protocol, Tab: "tab-00000001", Device: "device-00000001"}
		edit(&h)
		data, _ := json.Marshal(h)
		return `{"jsonrpc":"2.0","id":1,"method":"hello","params":` + string(data) + `}`
	}
	for name, c := range map[string]struct {
		send string
		want refusal.Code
		code int
	}{
		"no token":       {hello(func(h *wire.Hello) { h.Token = "" }), refusal.TokenMissing, wire.CloseBadToken},
		"no JWT":         {hello(func(h *wire.Hello) { h.Token = "alice" }), refusal.TokenMalformed, wire.CloseBadToken},
		"forged":         {hello(func(h *wire.Hello) { h.Token += "x" }), refusal.TokenWrongKey, wire.CloseBadToken},
		"expired":        {hello(func(h *wire.Hello) { h.Token = expired }), refusal.TokenExpired, wire.CloseTokenExpired},
		"other protocol": {hello(func(h *wire.Hello) { h.Protocol = 99 }), refusal.UnsupportedProtocol, wire.CloseTooOld},
		"no tab":         {hello(func(h *wire.Hello) { h.Tab = "" }), refusal.BadRequest, wire.CloseBadToken},
		"odd tab":        {hello(func(h *wire.Hello) { h.Tab = "tab\n0000000" }), refusal.BadRequest, wire.CloseBadToken},
		"long device":    {hello(func(h *wire.Hello) { h.DeviceName = strings.Repeat("x", 1000) }), refusal.BadRequest, wire.CloseBadToken},
		"wrong type":     {`{"jsonrpc":"2.0","id":1,"method":"hello","params":{"token":1}}`, refusal.BadRequest, wire.CloseBadToken},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.plain(0)
			p.write(c.send)
			var got refusal.Code
			code := p.frames(func(f wire.Frame) bool {
				if f.Error != nil {
					got = f.Error.Data.Code
				}
				return false
			})
			if got != c.want || code != c.code {
				t.Errorf("got %s and close %d, want %s and %d", got, code, c.want, c.code)
			}
		})
	}
}

func TestWhoComesBackLaterIsToldWhen(t *testing.T) {
	w := newWorld(t, Config{})
	w.verify = func(context.Context, string) (auth.Identity, error) {
		return auth.Identity{}, refusal.After(7*time.Second, refusal.Busy, "Nobody knows yet.")
	}
	w.addNode(Config{}, join(t, w))
	p := w.plain(1)
	if f := p.hello(w.token("alice")); f.Error == nil || f.Error.Data.Code != refusal.Busy || f.Error.Data.RetryMS != 7000 {
		t.Errorf("got %+v, want busy", f.Error)
	}
	_, _, err := p.ReadMessage()
	closed, _ := errors.AsType[*websocket.CloseError](err)
	if closed == nil || closed.Code != wire.CloseShutdown || closed.Text != "7000" {
		t.Errorf("got %v, want close %d, which says when to come back", err, wire.CloseShutdown)
	}
}

func TestRequestBeforeHello(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.plain(0)
	p.write(`{"jsonrpc":"2.0","id":7,"method":"session.list"}`)
	p.frames(func(f wire.Frame) bool {
		if f.Error == nil || f.Error.Data.Code != refusal.HelloFirst {
			t.Errorf("got %+v, want hello_first", f)
		}
		return true
	})
}

func TestClosedFor(t *testing.T) {
	w := newWorld(t, Config{HelloSeconds: 1, FrameSeconds: 1, PingSeconds: 1, PongSeconds: 1, Rates: Rates{Frames: 20}})
	for name, c := range map[string]struct {
		do   func(p *plain)
		want int
	}{
		"silence instead of hello": {func(*plain) {}, wire.CloseNoHello},
		"no pong":                  {func(p *plain) { p.hello(w.token("alice")) }, wire.CloseNoPong},
		"an oversized message":     {func(p *plain) { p.write(strings.Repeat("x", 65<<10)) }, wire.CloseRate},
		"much garbage":             {func(p *plain) { p.write(strings.Repeat("x\n", 20)) }, wire.CloseRate},
		"too many frames": {func(p *plain) {
			p.hello(w.token("alice"))
			p.write(strings.Repeat(`{"jsonrpc":"2.0","method":"pong"}`+"\n", 200))
		}, wire.CloseRate},
		"too many pings": {func(p *plain) { p.control(websocket.PingMessage, 200) }, wire.CloseRate},
		"too many pongs": {func(p *plain) {
			p.hello(w.token("alice"))
			p.control(websocket.PongMessage, 200)
		}, wire.CloseRate},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.plain(0)
			c.do(p)
			if code := p.frames(func(wire.Frame) bool { return false }); code != c.want {
				t.Errorf("closed with %d, want %d", code, c.want)
			}
		})
	}
}

// fragments sends the beginning of a message of text, and so many further fragments of it.
func (p *plain) fragments(n, bytes int) {
	const text, continuation, masked = 0x01, 0x00, 0x80
	for i := range n {
		kind := byte(continuation)
		if i == 0 {
			kind = text
		}
		header := binary.BigEndian.AppendUint16([]byte{kind, masked | 126}, uint16(bytes))
		if _, err := p.NetConn().Write(append(header, make([]byte, 4+bytes)...)); err != nil {
			return // the server has had enough
		}
	}
}

// Fragments with nothing in them are cut off for being many, not only for their time.
func TestFragmentsOfNothingAreCutOff(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.plain(0)
	p.hello(w.token("alice"))
	p.fragments(2000, 0)
	for {
		_, _, err := p.ReadMessage()
		if err == nil {
			continue
		}
		closed, ok := errors.AsType[*websocket.CloseError](err)
		if !ok || closed.Code != wire.CloseRate || closed.Text != "too many frames" {
			t.Errorf("ended by %v, want a close with %d for too many frames", err, wire.CloseRate)
		}
		return
	}
}

// A message may come in pieces, as long as there is something in them.
func TestAMessageInFragmentsIsRead(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.plain(0)
	p.hello(w.token("alice"))
	p.fragments(62, 1000)
	if _, err := p.NetConn().Write([]byte{0x80, 0x80, 0, 0, 0, 0}); err != nil { // the last one
		t.Fatal(err)
	}
	answered := false
	p.frames(func(f wire.Frame) bool {
		answered = f.Error != nil && f.Error.Data.Code == refusal.BadRequest // 62 KB of zeros are no frame
		return answered
	})
	if !answered {
		t.Error("it was not read")
	}
}

func TestFrameThatNeverEndsIsCutOff(t *testing.T) {
	w := newWorld(t, Config{FrameSeconds: 1})
	p := w.plain(0)
	p.hello(w.token("alice"))
	// The header promises 100 bytes, one comes.
	if _, err := p.NetConn().Write([]byte{0x81, 0x80 | 100, 0, 0, 0, 0, '{'}); err != nil {
		t.Fatal(err)
	}
	_ = p.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, _, err := p.ReadMessage(); err != nil {
			if !websocket.IsCloseError(err, wire.CloseRate) {
				t.Errorf("ended by %v, want a close with %d", err, wire.CloseRate)
			}
			return
		}
	}
}

func TestForeignOriginIsTold(t *testing.T) {
	w := newWorld(t, Config{Origins: []string{"https://shop.example"}})
	for origin, want := range map[string]int{"https://evil.example": wire.CloseForbidden, "https://shop.example": 0} {
		d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
		c, _, err := d.Dial(w.url(0), http.Header{"Origin": {origin}})
		if err != nil {
			t.Fatal(err)
		}
		p := &plain{t: t, Conn: c}
		code := 0
		if want == 0 {
			p.hello(w.token("alice"))
		} else {
			code = p.frames(func(wire.Frame) bool { return false })
		}
		if code != want {
			t.Errorf("%s: closed with %d, want %d", origin, code, want)
		}
		_ = c.Close()
	}
}

func TestOtherSubprotocolIsTold(t *testing.T) {
	w := newWorld(t, Config{})
	p := w.plain(0, func(d *websocket.Dialer) { d.Subprotocols = []string{"chat.v9"} })
	if code := p.frames(func(wire.Frame) bool { return false }); code != wire.CloseTooOld {
		t.Errorf("closed with %d, want %d", code, wire.CloseTooOld)
	}
}

func TestTokenFromBeforeSignOutEverywhereIsRevoked(t *testing.T) {
	w := newWorld(t, Config{})
	old := w.token("alice")
	alice := w.open(0, "alice")
	if err := alice.ask(wire.MethodSessionSignOut, wire.SessionSignOut{Everywhere: true}, nil); err != nil {
		t.Fatal(err)
	}
	_, err := w.dial(0, "alice", func(o *client.Options) { o.Token = constant(old) })
	if !refusal.Is(err, refusal.TokenRevoked) {
		t.Errorf("token from before: got %v, want token_revoked", err)
	}
	w.open(0, "alice")
}

// FuzzReceive throws bytes at the decoder and the dispatcher of a greeted connection.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"session.list"}`))
	f.Add([]byte("{}\n[]\n\x00"))
	f.Add([]byte(`{"jsonrpc":"2.0","method":"typing","params":{"conversation":"x","on":true}}`))
	for _, r := range wire.Requests() {
		f.Add(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":2,"method":%q,"params":{}}`, r.Method))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for frame, refused := range frames(data) {
			if refused == nil && (frame.Method == "" || frame.JSONRPC != version) {
				t.Errorf("accepted %+v", frame)
			}
			if refused == nil {
				answer := errorFrame(frame.ID, refusal.New(refusal.NotFound, "x"))
				if !json.Valid(answer.data) {
					t.Errorf("answer is no JSON: %s", answer.data)
				}
			}
		}
	})
}

// FuzzDispatch throws bytes at a greeted connection with everything real behind it.
func FuzzDispatch(f *testing.F) {
	w := newWorld(f, Config{Rates: generous})
	for _, r := range wire.Requests() {
		f.Add(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":2,"method":%q,"params":{}}`, r.Method))
		f.Add(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":2,"method":%q,"params":{"key":"k","value":[1e999],"users":[""],"limit":-1,"before":9e18}}`, r.Method))
	}
	for _, n := range wire.ClientNotes() {
		f.Add(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":{"offset":-1,"on":1}}`, n.Name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		server, browser := newChannel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.nodes[0].serveChannel(server, chat.User{ID: "mallory"}, switchboard.Asker{Tab: call.Tab{User: "mallory", Where: call.Where{TabID: "tab-00000001"}}}, true)
		}()
		_ = browser.WriteMessage(data)
		_ = browser.WriteMessage([]byte(`{"jsonrpc":"2.0","id":77,"method":"session.list"}`))
		// The connection answers what comes after, unless the input was so bad that it ended.
		for {
			m, err := browser.ReadMessage()
			if err != nil || strings.Contains(string(m), `"id":77`) {
				break
			}
			if strings.Contains(string(m), string(refusal.Internal)) {
				t.Errorf("internal error: %s", m)
			}
		}
		_ = browser.Close()
		<-done
	})
}
