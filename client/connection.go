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

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// connection is one WebSocket, from hello to its end.
type connection struct {
	client *Client
	ws     *websocket.Conn
	timers struct{ ack, renew *time.Timer }

	write sync.Mutex // one frame at a time

	mu      sync.Mutex
	next    int64
	waiting map[int64]chan wire.Frame
	lost    bool
	acking  bool
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
	conn := &connection{client: c, ws: ws, waiting: map[int64]chan wire.Frame{}}
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
	if c.position.Epoch != "" {
		position := c.position
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
	c.mu.Lock()
	c.welcome = w
	if !w.Recovered || c.position.Epoch != w.Epoch {
		c.position = wire.Resume{Epoch: w.Epoch, Offset: w.Offset}
	}
	c.mu.Unlock()
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
			answer <- f // has room for the one answer
		}
	case f.Method == wire.NotePing:
		_ = conn.send(wire.Frame{Method: wire.NotePong}) // a lost connection is seen by the reader
	case f.Method == wire.NoteEvent:
		var e chat.Event
		if json.Unmarshal(f.Params, &e) == nil {
			conn.event(e)
		}
	case f.Method == wire.NoteSynced:
		var s wire.Synced
		if json.Unmarshal(f.Params, &s) == nil {
			conn.client.moveTo(s.Offset)
		}
		if o.Synced != nil {
			o.Synced()
		}
	case f.Method != "" && o.Note != nil:
		o.Note(f.Method, f.Params)
	}
}

// event hands out an event that this tab has not seen, and acknowledges it within a second.
func (conn *connection) event(e chat.Event) {
	c := conn.client
	if e.Offset <= c.Position().Offset {
		return
	}
	if c.opts.Event != nil {
		c.opts.Event(e)
	}
	c.moveTo(e.Offset)
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if conn.acking || conn.lost {
		return
	}
	conn.acking = true
	conn.timers.ack = time.AfterFunc(time.Second, func() {
		conn.mu.Lock()
		conn.acking = false
		conn.mu.Unlock()
		_ = conn.send(wire.Frame{Method: wire.NoteAck, Params: mustJSON(wire.Ack{Offset: c.Position().Offset})})
	})
}

// moveTo notes that the tab has read its user's events up to offset.
func (c *Client) moveTo(offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.position.Offset = max(c.position.Offset, offset)
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
	conn.timers.renew = time.AfterFunc(time.Duration(tokenMS)*time.Millisecond*9/10, func() {
		ctx, cancel := context.WithTimeout(context.Background(), writeTime)
		defer cancel()
		token, err := conn.client.opts.Token(ctx)
		if err != nil {
			return // the server will close with 4001, and hello asks again
		}
		var renewed wire.TokenRenewed
		if conn.request(ctx, wire.MethodTokenRenew, wire.TokenRenew{Token: token}, &renewed) == nil {
			conn.renewBefore(renewed.TokenMS)
		}
	})
}

func (conn *connection) send(f wire.Frame) error {
	f.JSONRPC = "2.0"
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	conn.write.Lock()
	defer conn.write.Unlock()
	err = conn.ws.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		err = conn.ws.WriteMessage(websocket.TextMessage, data)
	}
	if err != nil {
		_ = conn.ws.Close() // nothing can be written any more, and so the reader notices it
	}
	return err
}

// request sends a request and waits for the answer on this connection.
func (conn *connection) request(ctx context.Context, method string, params, result any) error {
	answer := make(chan wire.Frame, 1)
	conn.mu.Lock()
	if conn.lost {
		conn.mu.Unlock()
		return ErrDisconnected
	}
	conn.next++
	id := conn.next
	conn.waiting[id] = answer
	conn.mu.Unlock()
	if err := conn.send(wire.Frame{ID: &id, Method: method, Params: mustJSON(params)}); err != nil {
		return fmt.Errorf("%s: %w", method, ErrDisconnected)
	}
	select {
	case f, ok := <-answer:
		if !ok {
			return fmt.Errorf("%s: %w", method, ErrDisconnected)
		}
		if f.Error != nil {
			return refused(f.Error)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(f.Result, result); err != nil {
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

// fail ends all requests that wait for an answer.
func (conn *connection) fail() {
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.lost = true
	for id, answer := range conn.waiting {
		delete(conn.waiting, id)
		close(answer)
	}
	for _, t := range []*time.Timer{conn.timers.ack, conn.timers.renew} {
		if t != nil {
			t.Stop()
		}
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

func mustJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("client: " + err.Error()) // params that cannot be JSON
	}
	return data
}
