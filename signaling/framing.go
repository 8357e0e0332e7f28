package signaling

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// maxFraming is how many bytes of headers the fragments of one message may have, beside up to
// readBuffer bytes that the library has read ahead. A message of the largest size has less in
// fragments of a kilobyte.
const maxFraming = 2 << 10

// framing is the connection under a WebSocket. Fragments of a message may be empty, and the
// library reads on over them without telling anybody: here they come to an end.
type framing struct {
	net.Conn

	// Owned by the reader of the WebSocket.
	within  bool // a message has begun
	read    int  // bytes since then
	payload int  // of them, that were handed on
}

// Read fails when a message has more framing than it may.
func (f *framing) Read(b []byte) (int, error) {
	if f.within && f.read-f.payload > maxFraming {
		return 0, errTooMany
	}
	n, err := f.Conn.Read(b)
	f.read += n
	return n, err
}

// begin says that a message begins, and returns its reader, which counts what it hands on.
func (f *framing) begin(message io.Reader) io.Reader {
	f.within, f.read, f.payload = true, 0, 0
	return countedReader{message, &f.payload}
}

// end says that the message has ended. What comes between two messages counts as frames.
func (f *framing) end() { f.within = false }

type countedReader struct {
	io.Reader
	n *int
}

func (c countedReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	*c.n += n
	return n, err
}

// hijacked gives the library a connection whose framing is counted.
type hijacked struct {
	http.ResponseWriter
	framing *framing
}

// Hijack takes the connection over from net/http.
func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.framing.Conn = conn
	return h.framing, buffers, err
}
