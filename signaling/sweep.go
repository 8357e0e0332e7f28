package signaling

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"carillon/chat"
	"carillon/wire"
)

// sweeper looks now and then for changes of which this node was not told: because an envelope was
// lost, because another node ended between a commit and its envelope, because the fan-out had too
// much to do.
type sweeper struct {
	soon chan struct{}         // holds one: look at once
	ping atomic.Pointer[frame] // for tabs that were told all up to the last sweep

	// Owned by the loop.
	since  int64            // when the last sweep began, by the database's clock, unix ms
	looked map[string]int64 // large conversations that changed lately, and at which version of their members the last sweep found them
}

var emptyPing = notification(wire.NotePing, wire.Ping{})

const (
	sweepPause = time.Second // between a sweep and one that was asked for
	sweepPage  = 1000        // conversations or users in one read
	sweepSlack = 60_000      // ms that a commit may take, see the statement timeout of the store
)

func (s *Server) sweepSoon() {
	select {
	case s.sweeper.soon <- struct{}{}:
	default: // it was asked for already
	}
}

func (s *Server) sweeps() {
	t := time.NewTicker(seconds(s.cfg.SweepSeconds))
	defer t.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
			s.sweep()
		case <-s.sweeper.soon:
			s.sweep()
			select {
			case <-s.done:
			case <-time.After(sweepPause):
			}
		}
	}
}

// sweep tells the tabs of this node what has changed since the last sweep, less a minute, and was
// not told. Then a tab that comes back need not ask about the time before.
func (s *Server) sweep() {
	ctx, cancel := s.timeout(requestTime)
	defer cancel()
	began, err := s.sweepConversations(ctx)
	if err == nil {
		err = s.sweepUsers(ctx)
	}
	if err == nil {
		err = s.watches.tellAgain(ctx)
	}
	if err != nil {
		s.log.Error("look for missed changes", "err", err)
		return
	}
	s.sweeper.since = began
	s.sweeper.ping.Store(notification(wire.NotePing, wire.Ping{At: began, Opening: s.chat.Opening()}))
}

func (s *Server) sweepConversations(ctx context.Context) (began int64, err error) {
	if began, err = s.chat.Now(ctx); err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	since := s.sweeper.since
	if since == 0 {
		since = began
	}
	looked := map[string]int64{}
	defer func() {
		if err == nil {
			s.sweeper.looked = looked
		}
	}()
	for after := ""; ; {
		heads, err := s.chat.ChangedSince(ctx, (since-sweepSlack)/60_000, after, sweepPage)
		if err != nil {
			return 0, fmt.Errorf("read changed conversations: %w", err)
		}
		for _, h := range heads {
			if err := s.sweepConversation(ctx, h); err != nil {
				return 0, err
			}
			if h.Large {
				looked[h.ID] = h.Version
			}
		}
		if len(heads) < sweepPage {
			return began, nil
		}
		after = heads[len(heads)-1].ID
	}
}

func (s *Server) sweepConversation(ctx context.Context, h chat.Head) error {
	if h.Large {
		return s.large.sweep(ctx, h, s.sweeper.looked)
	}
	f := s.feeds.of(feedID{conversation: h.ID})
	if f.told.Load() >= h.Pos {
		return nil
	}
	who, err := s.readers.of(ctx, h.ID, h.Version)
	if err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	return s.catchUp(f, notice{pos: h.Pos, readers: who})
}

func (s *Server) sweepUsers(ctx context.Context) error {
	users := s.localUsers()
	for len(users) > 0 {
		n := min(sweepPage, len(users))
		ids := make([]string, n)
		for i, u := range users[:n] {
			ids[i] = u.id
		}
		users = users[n:]
		positions, err := s.chat.Positions(ctx, ids)
		if err != nil {
			return fmt.Errorf("read positions of users: %w", err)
		}
		if err := s.signOutVoided(ctx, ids); err != nil {
			return err
		}
		for id, pos := range positions {
			f := s.feeds.of(feedID{user: id})
			if f.told.Load() >= pos {
				continue
			}
			if err := s.catchUp(f, notice{pos: pos}); err != nil {
				return err
			}
		}
	}
	return nil
}

// catchUp tells what is missing in a feed up to a notice without a frame.
func (s *Server) catchUp(f *feed, n notice) error {
	f.mu.Lock()
	tell, missing := f.cursor.take(n)
	s.tellLocked(f, tell)
	busy := f.reading
	f.reading = f.reading || missing
	f.mu.Unlock()
	if !missing || busy {
		return nil
	}
	s.metrics.missed.Inc()
	return s.readHole(f)
}
