package sfu

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"carillon/sfu/sfutest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, cfg Config) *SFU {
	t.Helper()
	s, err := New(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
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

// ear is a Leg that remembers.
type ear struct {
	mu       sync.Mutex
	media    []MediaState
	slots    []Slot
	speakers []string
	channels []Channel
	phases   map[string]time.Duration
}

func (e *ear) Media(s MediaState) { e.mu.Lock(); e.media = append(e.media, s); e.mu.Unlock() }
func (e *ear) Slots(s []Slot)     { e.mu.Lock(); e.slots = s; e.mu.Unlock() }
func (e *ear) Speaker(p string)   { e.mu.Lock(); e.speakers = append(e.speakers, p); e.mu.Unlock() }
func (e *ear) Channel(c Channel)  { e.mu.Lock(); e.channels = append(e.channels, c); e.mu.Unlock() }
func (e *ear) Phase(name string, d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phases == nil {
		e.phases = make(map[string]time.Duration)
	}
	e.phases[name] = d
}

func (e *ear) state() (MediaState, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.media) == 0 {
		return 0, false
	}
	return e.media[len(e.media)-1], true
}

func (e *ear) is(want MediaState) bool {
	got, ok := e.state()
	return ok && got == want
}

func (e *ear) speaker() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.speakers) == 0 {
		return ""
	}
	return e.speakers[len(e.speakers)-1]
}

// shows finds the slot that shows a source.
func (e *ear) shows(participant string, source Source) (Slot, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.slots, func(s Slot) bool { return s.Participant == participant && s.Source == source })
	if i < 0 {
		return Slot{}, false
	}
	return e.slots[i], true
}

func (e *ear) chat() Channel {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.channels) == 0 {
		return nil
	}
	return e.channels[0]
}

// person is a leg with its client.
type person struct {
	*sfutest.Client
	name string
	ear  *ear
	peer *Peer
}

func join(t testing.TB, r *Room, name string, cfg sfutest.Config) *person {
	t.Helper()
	return joinAs(t, r, "leg-"+name, name, cfg)
}

func joinAs(t testing.TB, r *Room, leg, name string, cfg sfutest.Config) *person {
	t.Helper()
	p := &person{name: name, ear: &ear{}}
	var err error
	if p.peer, err = r.Join(leg, name, p.ear); err != nil {
		t.Fatal(err)
	}
	if p.Client, err = sfutest.New(cfg, p.peer.Offer); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.peer.Close()
		_ = p.Client.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.Dial(ctx); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// gets waits until p receives more packets of a source of another.
func (p *person) gets(t testing.TB, other *person, source Source) {
	t.Helper()
	before := -1
	until(t, fmt.Sprintf("%s gets %s's %s", p.name, other.name, source), func() bool {
		s, ok := p.ear.shows(other.name, source)
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
