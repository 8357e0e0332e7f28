package sfu

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog sends pion's log to ours, all at debug level: most of what pion calls an error
// is a client that went away, or garbage on the port.
type pionLog struct{ log *slog.Logger }

func (p pionLog) NewLogger(scope string) logging.LeveledLogger {
	return scoped{p.log.With("pion", scope)}
}

type scoped struct{ log *slog.Logger }

func (s scoped) say(format string, args ...any) {
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug(fmt.Sprintf(format, args...))
	}
}

// Trace is not kept: it has a line per packet.
func (s scoped) Trace(string)                 {}
func (s scoped) Tracef(string, ...any)        {}
func (s scoped) Debug(m string)               { s.say("%s", m) }
func (s scoped) Debugf(f string, args ...any) { s.say(f, args...) }
func (s scoped) Info(m string)                { s.say("%s", m) }
func (s scoped) Infof(f string, args ...any)  { s.say(f, args...) }
func (s scoped) Warn(m string)                { s.say("%s", m) }
func (s scoped) Warnf(f string, args ...any)  { s.say(f, args...) }
func (s scoped) Error(m string)               { s.say("%s", m) }
func (s scoped) Errorf(f string, args ...any) { s.say(f, args...) }
