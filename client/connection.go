package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"carillon/refusal"
	"carillon/wire"
)

// connection is one WebSocket, from hello to its end.
type connection struct {
	client *Client
	ws     *websocket.Conn
	renew  *time.Timer

	write sync.Mutex // one frame at a time

	// Owned by the goroutine that reads.
	greeted map[string]bool // calls in the greeting

	// Under the client's mu.
	synced   bool
	marking  bool // marks are being sent, or will be
	markedAt time.Time

	mu      sync.Mutex
	next    int64
	waiting map[int64]func(answer wire.Frame, ok bool) // called by the goroutine that reads; not ok: there will be none
	lost    bool
}

const (
	writeTime = 10 * time.Second // for one write; a server that reads nothing for so long is taken for dead
	helloTime = 30 * time.Second // from the first packet to welcome
)

// connect dials and says hello.
func (c *Client) connect(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	header := c.opts.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if c.opts.Origin != "" {
		header.Set("Origin", c.opts.Origin)
	}
	dialer := *c.opts.Dialer
	dialer.Subprotocols = []string{wire.Subprotocol}
	ws, response, err := dialer.DialContext(ctx, c.opts.URL, header)
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("connect to %s: %s: %w", c.opts.URL, response.Status, err)
		}
		return nil, fmt.Errorf("connect to %s: %w", c.opts.URL, err)
	}
	conn := &connection{client: c, ws: ws, waiting: map[int64]func(wire.Frame, bool){}, greeted: map[string]bool{}}
	if err := conn.hello(ctx); err != nil {
		conn.close()
		return nil, err
	}
	c.setConnection(conn)
	return conn, nil
}

func (conn *connection) hello(ctx context.Context) error {
	c := conn.client
	token, err := c.opts.Token(ctx)
	if err != nil {
		return fmt.Errorf("get a token: %w", err)
	}
	c.mu.Lock()
	h := wire.Hello{
		Token: token, Protocol: wire.Protocol, Tab: c.opts.Tab, Device: c.opts.Device, DeviceName: c.opts.DeviceName,
		Pending: slices.Sorted(maps.Keys(c.pending)),
	}
	if c.opening != "" {
		position := c.positionLocked()
		h.Resume = &position
	}
	c.mu.Unlock()
	conn.next = 1
	id := conn.next
	if err := conn.send(wire.Frame{ID: &id, Method: wire.MethodHello, Params: mustJSON(h)}); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.ws.Close() })
	defer stop()
	// The first frame is the answer; it comes alone or at the head of a message.
	_, message, err := conn.ws.ReadMessage()
	if err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	line, rest, _ := bytes.Cut(message, []byte{'\n'})
	var f wire.Frame
	if err := json.Unmarshal(line, &f); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	if f.Error != nil {
		return refused(f.Error)
	}
	var w wire.Welcome
	if err := json.Unmarshal(f.Result, &w); err != nil {
		return fmt.Errorf("read welcome: %w", err)
	}
	conn.welcomed(w)
	if c.opts.Welcome != nil {
		c.opts.Welcome(w)
	}
	conn.renewBefore(w.TokenMS)
	if len(rest) > 0 {
		conn.receive(rest)
	}
	return nil
}

// read handles what comes until the connection ends. The server pings; if it sends nothing
// for the time of two pings, the connection is dead although nothing has told us.
func (conn *connection) read(ping time.Duration) error {
	defer conn.close()
	for {
		if err := conn.ws.SetReadDeadline(deadline(time.Now(), ping)); err != nil {
			return err
		}
		_, message, err := conn.ws.ReadMessage()
		if err != nil {
			return err
		}
		conn.receive(message)
	}
}

// deadline returns when the next frame must have come; zero when the server does not say how
// often it pings.
func deadline(now time.Time, ping time.Duration) time.Time {
	if ping <= 0 {
		return time.Time{}
	}
	return now.Add(2 * ping)
}

// receive handles the frames of one message, one a line.
func (conn *connection) receive(message []byte) {
	for line := range bytes.Lines(message) {
		var f wire.Frame
		if json.Unmarshal(line, &f) != nil {
			continue // perhaps of a newer protocol
		}
		conn.handle(f)
	}
}

func (conn *connection) handle(f wire.Frame) {
	o := &conn.client.opts
	switch {
	case f.ID != nil && f.Method == "":
		conn.mu.Lock()
		answer := conn.waiting[*f.ID]
		delete(conn.waiting, *f.ID)
		conn.mu.Unlock()
		if answer != nil {
			answer(f, true)
		}
	case f.Method == wire.NotePing:
		_ = conn.send(wire.Frame{Method: wire.NotePong}) // a lost connection is seen by the reader
		take(f.Params, conn.pinged)
	case f.Method == wire.NoteGreeting:
		take(f.Params, conn.greeting)
	case f.Method == wire.NoteChange:
		take(f.Params, conn.change)
	case f.Method == wire.NoteCall:
		take(f.Params, conn.call)
	case f.Method == wire.NoteSynced:
		take(f.Params, conn.endGreeting)
	case f.Method != "" && o.Note != nil:
		o.Note(f.Method, f.Params)
	}
}

// take passes on what can be read.
func take[P any](params json.RawMessage, to func(P)) {
	var p P
	if json.Unmarshal(params, &p) == nil {
		to(p)
	}
}

// renewBefore asks for a new token when a tenth of the token's time is left.
func (conn *connection) renewBefore(tokenMS int64) {
	if tokenMS <= 0 {
		return
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if conn.lost {
		return
	}
	conn.renew = time.AfterFunc(time.Duration(tokenMS)*time.Millisecond*9/10, func() {
		ctx, cancel := context.WithTimeout(context.Background(), writeTime)
		defer cancel()
		token, err := conn.client.opts.Token(ctx)
		if err != nil {
			return // the server will close with 4001, and hello asks again
		}
		var renewed wire.TokenRenewed
		if conn.request(ctx, wire.MethodTokenRenew, wire.TokenRenew{Token: token}, &renewed, nil) == nil {
			conn.renewBefore(renewed.TokenMS)
		}
	})
}

func (conn *connection) send(f wire.Frame) error {
	f.JSONRPC = "2.0"
	data := mustJSON(f)
	conn.client.mu.Lock()
	limit := conn.client.welcome.Limits.FrameBytes
	conn.client.mu.Unlock()
	if limit > 0 && len(data) > limit { // the server would close the connection for it, again and again
		return refusal.New(refusal.TooLarge, "A request has at most %d bytes.", limit)
	}
	conn.write.Lock()
	defer conn.write.Unlock()
	err := conn.ws.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		err = conn.ws.WriteMessage(websocket.TextMessage, data)
	}
	if err != nil {
		_ = conn.ws.Close() // nothing can be written any more, and so the reader notices it
	}
	return err
}

// start sends a request. The goroutine that reads calls then with the answer.
func (conn *connection) start(method string, params any, then func(answer wire.Frame, ok bool)) (id int64, _ error) {
	conn.mu.Lock()
	if conn.lost {
		conn.mu.Unlock()
		return 0, ErrDisconnected
	}
	conn.next++
	id = conn.next
	conn.waiting[id] = then
	conn.mu.Unlock()
	err := conn.send(wire.Frame{ID: &id, Method: method, Params: mustJSON(params)})
	if err == nil {
		return id, nil
	}
	conn.mu.Lock()
	delete(conn.waiting, id)
	conn.mu.Unlock()
	if _, refused := refusal.Of(err); refused {
		return 0, err
	}
	return 0, fmt.Errorf("%s: %w", method, ErrDisconnected)
}

// later sends a request whose answer is for the goroutine that reads. Without a connection there is
// none.
func (conn *connection) later(method string, params any, then func(answer wire.Frame)) {
	_, _ = conn.start(method, params, func(answer wire.Frame, ok bool) {
		if ok {
			then(answer)
		}
	})
}

// request sends a request and waits for the answer on this connection. The goroutine that reads
// calls seen with the answer before it goes on.
func (conn *connection) request(ctx context.Context, method string, params, result any, seen func(wire.Frame)) error {
	type reply struct {
		frame wire.Frame
		ok    bool
	}
	answer := make(chan reply, 1)
	id, err := conn.start(method, params, func(f wire.Frame, ok bool) {
		if ok && seen != nil {
			seen(f)
		}
		answer <- reply{f, ok} // has room for the one answer
	})
	if err != nil {
		return err
	}
	select {
	case r := <-answer:
		if !r.ok {
			return fmt.Errorf("%s: %w", method, ErrDisconnected)
		}
		if err := resultOf(r.frame, result); err != nil {
			if _, refused := refusal.Of(err); refused {
				return err
			}
			return fmt.Errorf("read the result of %s: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		conn.mu.Lock()
		delete(conn.waiting, id)
		conn.mu.Unlock()
		return ctx.Err()
	}
}

// resultOf reads an answer; a refusal is an error. Nil: its result does not matter.
func resultOf(answer wire.Frame, result any) error {
	if answer.Error != nil {
		return refused(answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// fail ends all requests that wait for an answer.
func (conn *connection) fail() {
	conn.mu.Lock()
	conn.lost = true
	waiting := conn.waiting
	conn.waiting = nil
	if conn.renew != nil {
		conn.renew.Stop()
	}
	conn.mu.Unlock()
	for _, answer := range waiting {
		answer(wire.Frame{}, false)
	}
}

func (conn *connection) close() {
	conn.fail()
	_ = conn.ws.Close()
}

// refused makes the error of a refusal that the server has sent.
func refused(e *wire.Error) error {
	return refusal.After(time.Duration(e.Data.RetryMS)*time.Millisecond, e.Data.Code, "%s", e.Message)
}

// mustJSON encodes without the escapes that only HTML needs: 16 KiB of < would be 96.
func mustJSON(v any) json.RawMessage {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("client: " + err.Error()) // params that cannot be JSON
	}
	return bytes.TrimSuffix(data.Bytes(), []byte("\n"))
}
