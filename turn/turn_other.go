//go:build !linux

package turn

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Server needs Linux: its loops stand on epoll, recvmmsg and sendmmsg. Elsewhere New fails,
// and carillon runs with turn.off and a TURN server on another machine ([ice] urls).
type Server struct{}

// New fails.
func New(Config, *slog.Logger, prometheus.Registerer) (*Server, error) {
	return nil, errors.New("turn: the TURN server runs on Linux only; set turn.off = true here")
}

// URLs, ICEServers, Relays, Drain and Close are never reached.
func (s *Server) URLs() []string                           { return nil }
func (s *Server) ICEServers(string, time.Time) []ICEServer { return nil }
func (s *Server) Relays() int                              { return 0 }
func (s *Server) Drain(context.Context) error              { return nil }
func (s *Server) Close() error                             { return nil }
