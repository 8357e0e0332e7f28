package sfu

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"

	"carillon/sfu/sfutest"
)

func TestMediaGoesToNobodyWhoDoesNotAnswer(t *testing.T) {
	for name, c := range map[string][]stun.Setter{
		"nominated":              {ice.UseCandidate()},
		"renominated":            {ice.NominationSetter{Value: 7, AttrType: ice.DefaultNominationAttribute}},
		"checked":                nil,
		"with odd bits in front": {oddBits{}, ice.UseCandidate()},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Config{})
			eve, bob := join(t, s.Room("call"), "eve", sfutest.Config{}), join(t, s.Room("call"), "bob", sfutest.Config{})
			bob.Talk(30)
			eve.gets(t, bob, Camera)
			v := newVictim(t)
			for range 20 {
				v.forge(t, s, eve, c...)
			}
			for range 5 {
				eve.gets(t, bob, Camera) // which they do not if the media went to the victim
			}
			v.escaped(t)
		})
	}
}

// Pion's agent checks, as Firefox does, the pair that it nominated once, and does not notice
// that its NAT gave it another port.
func TestAClientBehindANATThatChangesItsPortComesBack(t *testing.T) {
	s := start(t, Config{})
	alice, bob := join(t, s.Room("call"), "alice", sfutest.Config{NAT: true}), join(t, s.Room("call"), "bob", sfutest.Config{})
	alice.Talk(30)
	bob.Talk(30)
	alice.gets(t, bob, Camera)
	for range 2 {
		if err := alice.Rebind(); err != nil {
			t.Fatal(err)
		}
		alice.gets(t, bob, Camera)
		bob.gets(t, alice, Camera)
	}
	if n := s.gate.Counts().Moved; n != 2 {
		t.Errorf("media moved %d times, want 2", n)
	}
	alice.smooth(t)
	bob.smooth(t)
}

func TestWhoAnswersNoMoreGetsNothingMore(t *testing.T) {
	s, pass := startWithClock(t, Config{})
	var mute atomic.Bool // loses the answers to the server's checks
	var media atomic.Int64
	alice, bob := join(t, s.Room("call"), "alice", sfutest.Config{Lose: func(b []byte, incoming bool) bool {
		if incoming && !stun.IsMessage(b) {
			media.Add(1)
		}
		return !incoming && mute.Load() && stun.IsMessage(b)
	}}), join(t, s.Room("call"), "bob", sfutest.Config{})
	alice.Talk(30)
	bob.Talk(30)
	alice.gets(t, bob, Camera)
	until(t, "chat is handed up", func() bool { return alice.listener.chat() != nil })
	for range 5 {
		asked := s.gate.Counts().Answers
		pass(16 * time.Second)
		until(t, "both are asked and answer", func() bool { return s.gate.Counts().Answers >= asked+2 })
		alice.gets(t, bob, Camera)
	}
	mute.Store(true)
	pass(16 * time.Second)
	asked := s.gate.Counts().Checks
	until(t, "alice is asked in vain", func() bool { return s.gate.Counts().Checks >= asked+3 })
	pass(20 * time.Second)
	until(t, "her consent has ended", func() bool { return s.gate.Counts().Lapsed >= 1 && alice.listener.is(MediaDown) })
	before, withheld := media.Load(), s.gate.Counts().Withheld
	if err := alice.listener.chat().WriteMessage([]byte("which SCTP sends again and again")); err != nil {
		t.Error(err)
	}
	until(t, "bob's media is withheld", func() bool { return s.gate.Counts().Withheld > withheld+100 })
	if n := media.Load() - before; n > 20 { // those that were under way
		t.Errorf("%d packets came after her consent had ended", n)
	}
	mute.Store(false)
	until(t, "she is back", func() bool { return alice.listener.is(MediaUp) })
	alice.gets(t, bob, Camera)
}

// FFmpeg publishes by WHIP so: once it is connected it reads neither the server's checks nor
// its RTCP, and goes on sending.
func TestAPublisherThatNeverAnswersAgainIsUpWhileItsMediaComes(t *testing.T) {
	s, pass := startWithClock(t, Config{})
	var deaf atomic.Bool
	alice := join(t, s.Room("call"), "alice", sfutest.Config{AudioSlots: -1, VideoSlots: -1, NoChannels: true, Lose: func(b []byte, incoming bool) bool {
		return !incoming && deaf.Load() && stun.IsMessage(b)
	}})
	bob := join(t, s.Room("call"), "bob", sfutest.Config{})
	alice.Talk(30)
	bob.gets(t, alice, Camera)
	deaf.Store(true)
	for range 8 {
		pass(5 * time.Second)
		bob.gets(t, alice, Camera)
	}
	until(t, "her consent has ended", func() bool { return s.gate.Counts().Lapsed > 0 && alice.peer.consent.Load().Withheld() })
	bob.gets(t, alice, Camera)
	alice.peer.updateMediaState(s.now())
	if states := alice.listener.states(); slices.Contains(states, MediaDown) {
		t.Errorf("her leg is down though her media comes: %v", states)
	}
}

// oddBits sets a bit that is zero in all STUN messages, and at which pion does not look.
type oddBits struct{}

func (oddBits) AddTo(m *stun.Message) error {
	m.Raw[0] |= 0x80
	return nil
}
