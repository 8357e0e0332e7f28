package sfu

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"carillon/limit"
	"carillon/sfu/sfutest"
)

const ms = time.Millisecond

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, cfg Config) *SFU {
	t.Helper()
	s, _ := startWithClock(t, cfg)
	return s
}

// startWithClock also returns a func that lets time pass for the server.
func startWithClock(t testing.TB, cfg Config) (s *SFU, pass func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	began := time.Now()
	s, err := open(cfg, slog.New(slog.DiscardHandler), nil, func() time.Duration { return time.Since(began) + time.Duration(passed.Load()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, func(d time.Duration) { passed.Add(int64(d)) }
}

// until waits for a claim to become true.
func until(t testing.TB, what string, claim func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !claim() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// listener keeps what it was notified of.
type listener struct {
	mu       sync.Mutex
	media    []MediaState
	slots    []Slot
	speakers []string
	channels []Channel
	phases   map[string]time.Duration
}

func (l *listener) Media(s MediaState) { l.mu.Lock(); l.media = append(l.media, s); l.mu.Unlock() }
func (l *listener) Slots(s []Slot)     { l.mu.Lock(); l.slots = s; l.mu.Unlock() }
func (l *listener) Speaker(p string)   { l.mu.Lock(); l.speakers = append(l.speakers, p); l.mu.Unlock() }
func (l *listener) Channel(c Channel)  { l.mu.Lock(); l.channels = append(l.channels, c); l.mu.Unlock() }
func (l *listener) Phase(name string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phases == nil {
		l.phases = make(map[string]time.Duration)
	}
	l.phases[name] = d
}

// states are all that were told so far.
func (l *listener) states() []MediaState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.media)
}

func (l *listener) state() (MediaState, bool) {
	told := l.states()
	if len(told) == 0 {
		return 0, false
	}
	return told[len(told)-1], true
}

func (l *listener) is(want MediaState) bool {
	got, ok := l.state()
	return ok && got == want
}

func (l *listener) speaker() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.speakers) == 0 {
		return ""
	}
	return l.speakers[len(l.speakers)-1]
}

// shows finds the slot that shows a source.
func (l *listener) shows(participant string, source SourceKind) (Slot, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.slots, func(s Slot) bool { return s.Participant == participant && s.Source == source })
	if i < 0 {
		return Slot{}, false
	}
	return l.slots[i], true
}

func (l *listener) chat() Channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.channels) == 0 {
		return nil
	}
	return l.channels[0]
}

// nobody pays for a peer: no quota is that of a test.
var nobody limit.Payer

// person is a leg with its client.
type person struct {
	*sfutest.Client
	name     string
	listener *listener
	peer     *Peer
}

func join(t testing.TB, r *Room, name string, cfg sfutest.Config) *person {
	t.Helper()
	return joinAs(t, r, "leg-"+name, name, cfg)
}

func joinAs(t testing.TB, r *Room, leg, name string, cfg sfutest.Config) *person {
	t.Helper()
	p := prepareAs(t, r, leg, name, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.Dial(ctx); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// prepareAs makes a leg and its client, which has not sent its offer yet.
func prepareAs(t testing.TB, r *Room, leg, name string, cfg sfutest.Config) *person {
	t.Helper()
	p := &person{name: name, listener: &listener{}}
	var err error
	if p.peer, err = r.Join(leg, name, nobody, p.listener); err != nil {
		t.Fatal(err)
	}
	if p.Client, err = sfutest.New(cfg, p.peer.Offer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.peer.Close()
		_ = p.Client.Close()
	})
	return p
}

// gets waits until p receives more packets of a source of another.
func (p *person) gets(t testing.TB, other *person, source SourceKind) {
	t.Helper()
	before := -1
	until(t, fmt.Sprintf("%s gets %s's %s", p.name, other.name, source), func() bool {
		s, ok := p.listener.shows(other.name, source)
		if !ok {
			return false
		}
		n := p.Slot(s.MID).Of(s.ID)
		if before < 0 {
			before = n
		}
		return n > before+5
	})
}

// smooth fails when any slot of p was not one stream.
func (p *person) smooth(t testing.TB) {
	t.Helper()
	if n := p.Offers.Load(); n != 1 {
		t.Errorf("%s sent %d offers, want 1", p.name, n)
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		for _, mid := range p.Client.Slots(kind) {
			if c := p.Slot(mid).Counts(); len(c.Faults) > 0 {
				t.Errorf("%s's %s slot %s is not one stream: %v", p.name, kind, mid, c.Faults)
			}
		}
	}
}
