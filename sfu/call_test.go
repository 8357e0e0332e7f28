package sfu

import (
	"fmt"
	"testing"

	"carillon/refusal"
	"carillon/sfu/sfutest"
)

func TestTwoSeeAndHearEachOther(t *testing.T) {
	for name, cfg := range map[string]sfutest.Config{
		"vp8": {}, "h264": {H264: true}, "simulcast": {Simulcast: true}, "tcp only": {TCP: true}, "red": {RED: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{})
			a := join(t, s.Room("call"), "alice", cfg)
			b := join(t, s.Room("call"), "bob", cfg)
			a.Talk(30)
			b.Talk(30)
			a.gets(t, b, Camera)
			a.gets(t, b, Microphone)
			b.gets(t, a, Camera)
			b.gets(t, a, Microphone)
			if _, ok := a.listener.shows("alice", Camera); ok {
				t.Error("alice is shown her own camera")
			}
			until(t, "both media states are up", func() bool { return a.listener.is(MediaUp) && b.listener.is(MediaUp) })
			until(t, "all phases are told", func() bool {
				a.listener.mu.Lock()
				defer a.listener.mu.Unlock()
				return len(a.listener.phases) == 4
			})
			until(t, "the sender gets feedback and reports", func() bool {
				// Feedback is about all streams and is addressed to whichever sent last.
				feedback := a.Microphone.Feedback.Load()
				for _, layer := range a.Camera {
					feedback += layer.Feedback.Load()
				}
				return feedback > 2 && a.Microphone.Reports.Load() > 0
			})
			until(t, "the receiver gets reports", func() bool {
				slot, _ := b.listener.shows("alice", Camera)
				return b.Slot(slot.MID).Reports.Load() > 0
			})
			a.smooth(t)
			b.smooth(t)
		})
	}
}

func TestRoomsOfManySizesRenegotiateNothing(t *testing.T) {
	for _, n := range []int{2, 3, 10} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := start(t, Config{})
			r := s.Room("call")
			var people []*person
			for i := range n {
				p := join(t, r, fmt.Sprintf("p%d", i), sfutest.Config{VideoSlots: 3})
				p.Talk(40)
				people = append(people, p)
			}
			first, last := people[0], people[n-1]

			// The last to come is wanted, muted, unmuted, speaks and leaves.
			first.peer.Watch([]Want{{last.name, Camera}})
			first.gets(t, last, Camera)
			last.peer.Mute(Camera, true)
			until(t, "a muted camera shows nowhere", func() bool { _, ok := first.listener.shows(last.name, Camera); return !ok })
			last.peer.Mute(Camera, false)
			first.gets(t, last, Camera)
			for _, p := range people[:n-1] {
				p.peer.Mute(Microphone, true)
			}
			first.gets(t, last, Microphone)
			until(t, "the last is the speaker", func() bool { return first.listener.speaker() == last.name })
			_ = last.peer.Close()
			until(t, "who left shows nowhere", func() bool { _, ok := first.listener.shows(last.name, Camera); return !ok })
			if n > 2 {
				first.peer.Watch(nil)
				first.gets(t, people[1], Camera)
			}
			late := join(t, r, "late", sfutest.Config{})
			late.Talk(40)
			late.gets(t, first, Camera)
			first.peer.Watch([]Want{{"late", Camera}})
			first.gets(t, late, Camera)
			first.gets(t, late, Microphone)
			for _, p := range append(people[:n-1], late) {
				p.smooth(t)
			}
		})
	}
}

func TestNothingOfAMutedSourceIsForwarded(t *testing.T) {
	s := start(t, Config{})
	a, b := join(t, s.Room("call"), "alice", sfutest.Config{}), join(t, s.Room("call"), "bob", sfutest.Config{})
	a.Talk(30)
	b.gets(t, a, Microphone)
	b.gets(t, a, Camera)
	slot, _ := b.listener.shows("alice", Microphone)
	out := func() uint64 { return s.metrics.packetsOut.Load() }
	a.peer.Mute(Microphone, true)
	a.peer.Mute(Camera, true)
	then := out()
	muted := s.metrics.dropMuted.Load()
	until(t, "fifty packets are dropped", func() bool { return s.metrics.dropMuted.Load() > muted+50 })
	if got := out(); got != then {
		t.Errorf("%d packets left after Mute had returned", got-then)
	}
	if _, ok := b.listener.shows("alice", Microphone); ok {
		t.Error("a muted microphone is still shown")
	}
	a.peer.Mute(Microphone, false)
	a.peer.Mute(Camera, false)
	b.gets(t, a, Microphone)
	b.gets(t, a, Camera)
	if c := b.Slot(slot.MID).Counts(); c.Missing > 0 {
		t.Errorf("muting left a gap of %d packets", c.Missing)
	}
	b.smooth(t)
}

func TestMutedBeforeTheFirstPacket(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a := prepareAs(t, r, "leg", "alice", sfutest.Config{})
	a.peer.Mute(Camera, true)
	if err := a.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Talk(30)
	b := join(t, r, "bob", sfutest.Config{})
	b.gets(t, a, Microphone)
	until(t, "muted packets arrive", func() bool { return s.metrics.dropMuted.Load() > 20 })
	if _, ok := b.listener.shows("alice", Camera); ok {
		t.Error("a camera that was muted first is shown")
	}
}

func TestMoveToAnotherLeg(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	old, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	old.Talk(30)
	b.Talk(30)
	b.gets(t, old, Camera)
	next := prepareAs(t, r, "second", "alice", sfutest.Config{})
	next.peer.SetActive(false)
	if err := next.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	next.Talk(30)
	until(t, "the new leg is up", func() bool { return next.listener.is(MediaUp) })
	next.gets(t, b, Camera)
	if _, ok := next.listener.shows("bob", Microphone); ok {
		t.Error("both legs play the sound")
	}
	slot, _ := b.listener.shows("alice", Camera)
	before := slot.ID
	next.peer.SetActive(true)
	old.peer.SetActive(false)
	until(t, "bob sees the new leg", func() bool {
		s, ok := b.listener.shows("alice", Camera)
		return ok && s.ID != before && s.MID == slot.MID && b.Slot(s.MID).Of(s.ID) > 5
	})
	_ = old.peer.Close()
	next.gets(t, b, Microphone)
	b.gets(t, next, Microphone)
	b.smooth(t)
}

func TestStaleLegIsFenced(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	old, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	old.Talk(30)
	b.gets(t, old, Camera)
	again := join(t, r, "alice", sfutest.Config{}) // the same leg, as after a reload
	if _, err := old.peer.Offer(t.Context(), "v=0"); !refusal.Is(err, refusal.LegUnknown) {
		t.Errorf("offer on a stale leg: got %v", err)
	}
	again.Talk(30)
	b.gets(t, again, Camera)
	b.smooth(t)
}

func TestSpeakerIsTheLoudest(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	var people []*person
	for i, level := range []uint8{20, 60, 90, 100, 110} {
		p := join(t, r, fmt.Sprintf("p%d", i), sfutest.Config{AudioSlots: 1, NoCamera: true})
		p.Talk(level)
		people = append(people, p)
	}
	last := people[4]
	until(t, "the loudest speaks", func() bool { return last.listener.speaker() == "p0" })
	last.gets(t, people[0], Microphone)
	people[0].peer.Mute(Microphone, true)
	last.gets(t, people[1], Microphone)
	until(t, "silence has no speaker", func() bool { return last.listener.speaker() == "" })
	last.smooth(t)
}

func TestLayersFallBackAndClimb(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{Simulcast: true}), join(t, r, "bob", sfutest.Config{})
	a.Talk(30)
	shown := func() string {
		b.peer.room.mu.Lock()
		defer b.peer.room.mu.Unlock()
		for _, s := range b.peer.slots {
			if current, _ := s.shows(); current != nil && current.rid != "" {
				return current.rid
			}
		}
		return ""
	}
	until(t, "the top layer is shown", func() bool { return shown() == "f" })
	a.Camera[2].Off.Store(true)
	until(t, "the middle layer follows", func() bool { return shown() == "h" })
	a.Camera[1].Off.Store(true)
	until(t, "the lowest layer follows", func() bool { return shown() == "q" })
	b.gets(t, a, Camera)
	a.Camera[1].Off.Store(false)
	a.Camera[2].Off.Store(false)
	until(t, "the top layer is back", func() bool { return shown() == "f" })
	b.gets(t, a, Camera)
	b.smooth(t)
}

func TestPublishersAndViewersOnly(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	whip := join(t, r, "obs", sfutest.Config{AudioSlots: -1, VideoSlots: -1, NoChannels: true})
	whip.Talk(30)
	whep := join(t, r, "viewer", sfutest.Config{NoMicrophone: true, NoCamera: true, AudioSlots: 1, VideoSlots: 1, NoChannels: true})
	whep.gets(t, whip, Camera)
	whep.gets(t, whip, Microphone)
	whep.smooth(t)
	whip.smooth(t)
}

func TestScreenIsAnotherSource(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a := join(t, r, "alice", sfutest.Config{Screen: true})
	b := join(t, r, "bob", sfutest.Config{VideoSlots: 2})
	a.Talk(30)
	b.gets(t, a, Camera)
	b.gets(t, a, Screen)
	b.smooth(t)
}

func TestSilentThenDown(t *testing.T) {
	s := start(t, Config{SilentMS: 300, DownMS: 900})
	a := join(t, s.Room("call"), "alice", sfutest.Config{})
	a.Talk(30)
	until(t, "media is up", func() bool { return a.listener.is(MediaUp) && a.peer.sendsMedia(s.now()) })
	_ = a.Client.Close()
	until(t, "silence is told", func() bool {
		a.listener.mu.Lock()
		defer a.listener.mu.Unlock()
		return len(a.listener.media) > 1
	})
	until(t, "media is down", func() bool { return a.listener.is(MediaDown) })
}

func TestRestartAndMoreSlots(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a, b, c := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{}), join(t, r, "carol", sfutest.Config{})
	a.Talk(30) // the speaker, who has carol's only slot
	b.Talk(60)
	c.Talk(60)
	c.gets(t, a, Camera)
	slot, _ := c.listener.shows("alice", Camera)
	if err := c.MoreVideo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	c.gets(t, b, Camera)
	c.gets(t, a, Camera)
	if now, _ := c.listener.shows("alice", Camera); now != slot {
		t.Errorf("the old slot changed: %+v, was %+v", now, slot)
	}
	for range 2 {
		if err := c.Negotiate(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		c.gets(t, a, Camera)
		c.gets(t, b, Camera)
		a.gets(t, c, Microphone)
	}
	if counts := c.Slot(slot.MID).Counts(); len(counts.Faults) > 0 {
		t.Errorf("restarts broke the stream: %v", counts.Faults)
	}
}

func TestAllInterfacesAndAdvertisedAddresses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"all, advertised as loopback": {Listen: ":0", Advertise: []string{"127.0.0.1"}},
		"no tcp":                      {NoTCP: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, cfg)
			a, b := join(t, s.Room("call"), "alice", sfutest.Config{}), join(t, s.Room("call"), "bob", sfutest.Config{})
			a.Talk(30)
			b.gets(t, a, Camera)
			b.smooth(t)
		})
	}
}
