package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/metrics"
	"time"
)

// target is the inside of a target process.
type target interface {
	routes(mux *http.ServeMux)
	relays() []Relay
	runtime() Runtime
	close() error
}

// Serve runs one of the built-in targets until in ends, and prints to out the
// line that Start waits for. It is the body of the hidden sub-command.
func Serve(kind string, in io.Reader, out io.Writer, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	t, err := newTarget(kind, log)
	if err != nil {
		return errors.Join(err, json.NewEncoder(out).Encode(Ready{Error: err.Error()}))
	}
	return errors.Join(serveTarget(ctx, t, out), t.close())
}

func newTarget(kind string, log *slog.Logger) (target, error) {
	switch kind {
	case Carillon:
		return newCarillonTarget(log)
	case Pion:
		return newPionTarget()
	case Floor:
		return newFloorTarget()
	}
	return nil, fmt.Errorf("no target is called %q", kind)
}

func serveTarget(ctx context.Context, t target, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("target's control: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /runtime", func(w http.ResponseWriter, _ *http.Request) {
		r := t.runtime()
		r.Mallocs = allocatedObjects()
		_ = json.NewEncoder(w).Encode(r)
	})
	t.routes(mux)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if err := json.NewEncoder(out).Encode(Ready{URL: "http://" + listener.Addr().String(), Relays: t.relays()}); err != nil {
		return err
	}
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
		err = server.Close()
		<-ended
		return err
	}
}

func allocatedObjects() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/tiny/allocs:objects"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}
