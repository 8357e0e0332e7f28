package signaling

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"carillon/wire"
)

// webSocket is the transport over a WebSocket.
type webSocket struct {
	conn    *websocket.Conn
	framing *framing      // under conn
	timeout time.Duration // of one write, and of a frame that has begun
	limit   int64         // bytes of one message
}

// readBuffer is small because every idle tab has one; larger frames are read past it.
const readBuffer = 512

// writeBuffers are borrowed while a frame is written, so that an idle tab has none.
var writeBuffers sync.Pool

var upgrader = websocket.Upgrader{
	ReadBufferSize:  readBuffer,
	WriteBufferSize: 4 << 10,
	WriteBufferPool: &writeBuffers,
	Subprotocols:    []string{wire.Subprotocol},
	// A page of a forbidden origin cannot read an HTTP status here, so it is let in and
	// told by a close code, before anything it says is read.
	CheckOrigin: func(*http.Request) bool { return true },
}

// originAllowed reports whether a page of this origin may connect to host. Programs that
// are not browsers send none; what they may do depends on their token alone.
func originAllowed(origin, host string, allowed []string) bool {
	if origin == "" {
		return true
	}
	for _, a := range allowed {
		if a == "*" || a == origin {
			return true
		}
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == host
}

// readWebSocket is the reader of a connection over a WebSocket. A page that may not speak
// is told so by a close code.
func (c *connection) readWebSocket(socket *webSocket, allowed, spoken bool) {
	switch {
	case !allowed:
		c.close(wire.CloseForbidden, "this origin is not allowed")
	case !spoken:
		c.close(wire.CloseTooOld, "ask for subprotocol "+wire.Subprotocol)
	default:
		c.readMessages(socket)
		return
	}
	socket.drain()
}

// readMessages reads until the connection ends. When it is we who end it, what the client
// still sends is read and dropped, so that it learns why.
func (c *connection) readMessages(socket *webSocket) {
	switch err := socket.read(c.receiveAside); {
	case err == nil:
		socket.drain()
	case errors.Is(err, errTooLarge):
		c.close(wire.CloseRate, "messages have at most "+strconv.FormatInt(socket.limit, 10)+" bytes")
		socket.drain()
	case late(err):
		c.close(wire.CloseRate, "a message that has begun must be complete within "+socket.timeout.String())
		socket.drainRaw()
	case errors.Is(err, errTooMany):
		c.close(wire.CloseRate, "too many frames")
		socket.drainRaw() // the library reads no further after an error
	}
}

var (
	errTooLarge = errors.New("message over the limit")
	errTooMany  = errors.New("control frames or fragments over the limit")
)

// countControls lets count decide whether a ping or a pong of the client is still taken. The
// library answers pings before read sees anything of them.
func (w *webSocket) countControls(count func() bool) {
	answer := w.conn.PingHandler()
	w.conn.SetPingHandler(func(data string) error {
		if !count() {
			return errTooMany
		}
		return answer(data)
	})
	w.conn.SetPongHandler(func(string) error {
		if !count() {
			return errTooMany
		}
		return nil
	})
}

// receiveAside takes a message in a goroutine of its own, and waits for it. What it needs of stack
// is then gone when the tab is idle: a stack that has once grown keeps half of that at least.
func (c *connection) receiveAside(message []byte) (goOn bool) {
	done := make(chan struct{})
	c.server.work.Go(func() {
		defer close(done)
		goOn = c.receive(message)
	})
	<-done
	return goOn
}

// messages are read into borrowed buffers, so that an idle tab has none.
var messages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read waits for a message and calls use with it. What use gets is reused afterwards.
func (w *webSocket) read(use func(message []byte) bool) error {
	for {
		kind, r, err := w.conn.NextReader()
		if err != nil {
			return err
		}
		// A frame that has begun must come to its end.
		if err := w.conn.SetReadDeadline(time.Now().Add(w.timeout)); err != nil {
			return err
		}
		buf := messages.Get().(*bytes.Buffer)
		buf.Reset()
		n, err := buf.ReadFrom(io.LimitReader(w.framing.begin(r), w.limit+1))
		w.framing.end()
		more := false
		switch {
		case err != nil:
		case n > w.limit:
			err = errTooLarge
		case kind != websocket.TextMessage:
			more = use(nil)
		default:
			more = use(buf.Bytes())
		}
		messages.Put(buf)
		if err != nil || !more {
			return err
		}
		if err := w.conn.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
	}
}

func (w *webSocket) write(batch []item) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	if len(batch) == 1 && !batch[0].frame.shared {
		return w.conn.WriteMessage(websocket.TextMessage, batch[0].frame.data)
	}
	if len(batch) == 1 {
		prepared, err := batch[0].frame.prepare()
		if err != nil {
			return err
		}
		return w.conn.WritePreparedMessage(prepared)
	}
	message, err := w.conn.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	for i, it := range batch {
		if i > 0 {
			if _, err := message.Write([]byte{'\n'}); err != nil {
				return err
			}
		}
		if _, err := message.Write(it.frame.data); err != nil {
			return err
		}
	}
	return message.Close()
}

// closeTime is how long a client may take to answer a close frame.
const closeTime = 2 * time.Second

func (w *webSocket) finish(code int, reason string) {
	deadline := time.Now().Add(closeTime)
	message := websocket.FormatCloseMessage(code, reason)
	if w.conn.WriteControl(websocket.CloseMessage, message, deadline) != nil {
		w.abort()
		return
	}
	if c, ok := w.framing.Conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // the reader ends with the client's answer, or by the deadline
	}
	_ = w.conn.NetConn().SetReadDeadline(deadline)
}

// drain reads on after our close frame until the client has answered it, so that it is
// not met by a reset before it has read why. For a client that sends without end the timer of
// outgoing ends it.
func (w *webSocket) drain() {
	for {
		if _, _, err := w.conn.NextReader(); err != nil {
			return
		}
	}
}

// late reports whether a frame that had begun did not end in time. The library hides what
// the network said and leaves only this.
func late(err error) bool {
	n, known := errors.AsType[net.Error](err)
	return known && n.Timeout()
}

// drainRaw is drain after the connection's framing was lost: a message never came to its
// end, so nothing more of it can be understood, but the writer may still say why.
func (w *webSocket) drainRaw() {
	conn := w.conn.NetConn()
	_ = conn.SetReadDeadline(time.Now().Add(closeTime))
	_, _ = io.Copy(io.Discard, conn)
}

func (w *webSocket) abort() { _ = w.conn.Close() }
