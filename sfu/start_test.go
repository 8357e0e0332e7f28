package sfu

import (
	"sync"
	"testing"
	"time"

	"carillon/sfu/sfutest"
)

// slow is a client whose DTLS waits until it is let go.
func slow() (cfg sfutest.Config, letGo func()) {
	gate := make(chan struct{})
	return sfutest.Config{Lose: func(b []byte, incoming bool) bool {
		if !incoming && sfutest.IsDTLS(b) {
			<-gate
		}
		return false
	}}, sync.OnceFunc(func() { close(gate) })
}

func TestAKeyFrameIsRequestedOnceWhenTheSlotCanCarryIt(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	alice := join(t, r, "alice", sfutest.Config{NoMicrophone: true})
	alice.Talk(30)
	camera := alice.Camera[0]
	until(t, "alice's first key frame has come", func() bool { l := layerOf(alice); return l != nil && newest(l).ext > 0 })
	first := newest(layerOf(alice))

	cfg, letGo := slow()
	bob := prepareAs(t, r, "leg-bob", "bob", cfg)
	t.Cleanup(letGo)
	dialed := make(chan error, 1)
	go func() { dialed <- bob.Dial(t.Context()) }()
	until(t, "bob's slot is assigned", func() bool { _, ok := bob.listener.shows("alice", Camera); return ok })
	until(t, "the key frame that was requested early has come, and was too long ago", func() bool {
		l := layerOf(alice)
		_, _, ok := l.replayable(s.now())
		return newest(l).ext > first.ext && !ok
	})
	plis, keys := camera.PLIs.Load(), camera.Keys.Load()
	if plis != 1 {
		t.Errorf("%d key frames were requested before the slot could carry one, want 1", plis)
	}
	letGo()
	if err := <-dialed; err != nil {
		t.Fatal(err)
	}
	bob.gets(t, alice, Camera)
	slot, _ := bob.listener.shows("alice", Camera)
	got := bob.Slot(slot.MID).Counts()
	if !got.StartKey {
		t.Error("the first packet that bob got does not begin a key frame")
	}
	if sent := int(camera.Keys.Load() - keys); got.Keys != sent || sent != 1 {
		t.Errorf("alice sent %d key frames since and bob got %d, want 1 and 1", sent, got.Keys)
	}
	if n := camera.PLIs.Load() - plis; n != 1 {
		t.Errorf("%d key frames were requested when the slot could carry one, want 1", n)
	}
	bob.smooth(t)
}

func TestTheFirstKeyFrameOfAPublisherIsForwarded(t *testing.T) {
	for name, cfg := range map[string]sfutest.Config{"vp8": {NoMicrophone: true}, "h264": {NoMicrophone: true, H264: true}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Config{})
			r := s.Room("call")
			bob := join(t, r, "bob", sfutest.Config{NoMicrophone: true, NoCamera: true, H264: cfg.H264})
			alice := join(t, r, "alice", cfg)
			alice.Talk(30)
			bob.gets(t, alice, Camera)
			slot, _ := bob.listener.shows("alice", Camera)
			if got := bob.Slot(slot.MID).Counts(); got.Missing > 0 || !cfg.H264 && !got.StartKey {
				t.Errorf("bob did not get the first frame: %+v", got)
			}
			if n := alice.Camera[0].PLIs.Load(); n != 0 {
				t.Errorf("%d key frames were requested although the first frame is one", n)
			}
		})
	}
}

func TestASlotThatOpensBeginsWithTheKeyFrameOfAMomentAgo(t *testing.T) {
	for name, c := range map[string]struct {
		age     time.Duration
		without int // this packet was lost
		want    int // packets that leave at once
	}{
		"a moment ago":          {age: 300 * ms, want: 6},
		"too long ago":          {age: replayTime + ms},
		"with a packet missing": {age: 300 * ms, without: 3},
	} {
		t.Run(name, func(t *testing.T) {
			l, raw, out := forwarding(t, 1)
			slot := (*l.slots.Load())[0]
			slot.isOpen, out.keep = false, true
			send := func(n int, key bool, at time.Duration) {
				raw[3] = byte(n)                // sequence number
				raw[6], raw[7] = byte(n/2*9), 0 // time stamp: a frame has two packets
				raw[12+6] = 1
				if key {
					raw[12+6] = 0
				}
				l.receive(raw, at)
			}
			at := time.Second
			for n := range 6 {
				if n > 0 && n == c.without {
					continue
				}
				send(n, n == 0, at)
			}
			if len(out.headers) > 0 {
				t.Fatal("a slot that is not open sent packets")
			}
			slot.open()
			slot.peer.room.startLocked(slot, at+c.age)
			if len(out.headers) != c.want {
				t.Fatalf("%d packets left at once, want %d", len(out.headers), c.want)
			}
			if l.requests.wanted == (c.want > 0) {
				t.Errorf("a key frame is requested: %v", l.requests.wanted)
			}
			if c.want == 0 {
				return
			}
			send(6, false, at+c.age+33*ms)
			send(5, false, at+c.age+33*ms) // the loop had it in hand when it was replayed
			if len(out.headers) != 7 {
				t.Fatalf("%d packets left, want 7", len(out.headers))
			}
			for i, h := range out.headers[1:] {
				before := out.headers[i]
				if h.SequenceNumber != before.SequenceNumber+1 {
					t.Errorf("number %d follows %d", h.SequenceNumber, before.SequenceNumber)
				}
				step, want := h.Timestamp-before.Timestamp, uint32(0)
				switch i {
				case 1, 3:
					want = 90 // frames of the past leave together
				case 5:
					want = 9 << 8 // as they were made
				}
				if step != want {
					t.Errorf("packet %d has a time stamp %d later, want %d", i+1, step, want)
				}
			}
		})
	}
}

func TestNoKeyFrameIsRequestedForWhoCannotDecodeIt(t *testing.T) {
	l, raw, out := forwarding(t, 1)
	slot := (*l.slots.Load())[0]
	slot.types[codecVP8] = 0
	l.receive(raw, time.Second)
	slot.peer.room.startLocked(slot, 2*time.Second)
	if l.requests.wanted || out.packets > 0 {
		t.Errorf("requested: %v; packets sent: %d", l.requests.wanted, out.packets)
	}
}

func newest(l *layer) keyFrame {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.keyFrame
}

// layerOf returns the layer of the only video source of a person; nil: there is none yet.
func layerOf(p *person) *layer {
	r := p.peer.room
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, src := range p.peer.sources {
		if !src.kind.audio() && len(src.layers) > 0 {
			return src.layers[0]
		}
	}
	return nil
}
