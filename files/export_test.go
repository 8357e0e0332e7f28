package files

import (
	"context"
	"path/filepath"
	"time"
)

// Collect is a round of the janitor.
func (s *Server) Collect(ctx context.Context) error { return s.collect(ctx) }

// SweepAt is sweep at a time.
func (s *Server) SweepAt(ctx context.Context, now time.Time) {
	s.now = func() time.Time { return now }
	s.sweep(ctx)
}

// LocalPath is where an upload lies that is not finished.
func (s *Server) LocalPath(id string) string { return s.local(id) }

// KeptPath is where a finished file lies on the disk.
func (s *Server) KeptPath(name string) string { return filepath.Join(s.folder, KeptPath(name)) }

// AddressOf signs an address.
func (s *Server) AddressOf(file, user string, until time.Time, thumbnail bool) string {
	return s.sign.address(grant{file: file, user: user, until: until.Unix(), thumbnail: thumbnail})
}
