package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Listen binds the TCP address that a key of the configuration names, or says which key to change.
func Listen(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; is another carillon running? Set %s to another address, or port 0 for any free one", key, err, key)
	}
	return l, nil
}

// finishTime is how long requests under way have to finish.
const finishTime = 5 * time.Second

// Serve answers HTTP until ctx ends, then lets requests under way finish. A connection over
// which none has come completely is closed at once.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	unused := unused{conns: map[net.Conn]struct{}{}}
	server := &http.Server{
		ConnState:         unused.track,
		Handler:           lastIfChunked(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,     // for a body too; what is hijacked (a WebSocket) has deadlines of its own
		WriteTimeout:      2 * time.Minute, // from the header on: an answer that nobody reads
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // failed handshakes of anyone
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
		defer cancel()
		unused.close()
		if server.Shutdown(finish) != nil {
			server.Close()
		}
	}()
	err := server.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	}
	<-stopped
	return nil
}

// lastIfChunked is h, after which a connection over which a body came in chunks is closed. Where
// there was a Content-Length beside them a proxy may have believed that, and what follows may be
// what it took for the body; net/http does not tell.
//
// "[...] the server MUST close the connection after responding to such a request"
// https://www.rfc-editor.org/rfc/rfc9112#section-6.1-15
func lastIfChunked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// unused are the connections over which no request has come. For [http.Server.Shutdown] a
// request may be under way there.
type unused struct {
	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
}

// track is called by the server when the state of a connection changes.
func (u *unused) track(c net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.conns, c)
	case u.closed:
		c.Close()
	default:
		u.conns[c] = struct{}{}
	}
}

func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	for c := range u.conns {
		c.Close()
	}
}
