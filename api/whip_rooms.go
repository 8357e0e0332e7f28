package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"carillon/auth"
	"carillon/sfu"
	"carillon/switchboard"
)

// Rooms is a Joiner whose rooms are the SFU's. The door decides who may come in.
type Rooms struct {
	Door *switchboard.Door
	// Channel serves a session's chat data channel until it returns; nil: it is closed.
	Channel func(room string, c sfu.Channel)
}

// Publish joins with what the offer sends. The session may watch too, if it may at all.
func (r Rooms) Publish(ctx context.Context, who auth.Identity, room, offer string) (Session, string, error) {
	return r.join(ctx, r.Door.Publish, who, room, offer)
}

// Watch joins with what the offer wants to receive.
func (r Rooms) Watch(ctx context.Context, who auth.Identity, room, offer string) (Session, string, error) {
	return r.join(ctx, r.Door.Watch, who, room, offer)
}

type enter func(ctx context.Context, who auth.Identity, stream string, l sfu.Listener) (*switchboard.Peer, error)

func (r Rooms) join(ctx context.Context, enter enter, who auth.Identity, room, offer string) (Session, string, error) {
	s := newRoomSession(room, r.Channel)
	peer, err := enter(ctx, who, room, s)
	if err != nil {
		return nil, "", err
	}
	s.peer = peer
	answer, err := s.Offer(ctx, offer)
	if err != nil {
		return nil, "", errors.Join(err, s.Close())
	}
	return s, answer, nil
}

// roomSession listens to its peer: it ends when the media is lost, or does not come in the
// time that the SFU gives it.
type roomSession struct {
	// Fixed at construction.
	room  string
	peer  *switchboard.Peer
	serve func(room string, c sfu.Channel)

	done chan struct{}
	once sync.Once
}

func newRoomSession(room string, serve func(string, sfu.Channel)) *roomSession {
	return &roomSession{room: room, serve: serve, done: make(chan struct{})}
}

func (s *roomSession) Offer(ctx context.Context, offer string) (string, error) {
	return s.peer.Offer(ctx, offer)
}

func (s *roomSession) Done() <-chan struct{} { return s.done }

func (s *roomSession) Close() error {
	err := s.peer.Close()
	s.end()
	return err
}

func (s *roomSession) end() { s.once.Do(func() { close(s.done) }) }

// Media is called by the SFU.
func (s *roomSession) Media(state sfu.MediaState) {
	if state == sfu.MediaDown {
		s.end()
	}
}

// Channel is called by the SFU when the chat data channel is open.
func (s *roomSession) Channel(c sfu.Channel) {
	if s.serve == nil {
		_ = c.Close()
		return
	}
	go s.serve(s.room, c) // ends with the channel, which Close of the peer closes
}

// WHIP and WHEP clients have no way to be told these.

func (s *roomSession) Slots([]sfu.Slot)            {}
func (s *roomSession) Speaker(string)              {}
func (s *roomSession) Phase(string, time.Duration) {}
