package sfu

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"weak"

	"carillon/limit"
	"carillon/refusal"
	"carillon/sfu/sfutest"
)

func offerFor(t testing.TB, slots int) string {
	t.Helper()
	offer, err := sfutest.OfferFor(slots)
	if err != nil {
		t.Fatal(err)
	}
	return offer
}

var (
	mallory = limit.Payer{User: "guest:mallory", Guest: true, Address: netip.MustParseAddr("192.0.2.1")}
	trudy   = limit.Payer{User: "guest:trudy", Guest: true, Address: netip.MustParseAddr("192.0.2.1")}
	alice   = limit.Payer{User: "alice", Address: netip.MustParseAddr("192.0.2.2")}
)

func TestOneUserOrAddressCannotTakeAllPeersAndSlots(t *testing.T) {
	one, many := offerFor(t, 1), offerFor(t, 10)
	for name, c := range map[string]struct {
		quota Quota
		offer string
		takes int // peers that mallory gets
		left  int // peers that trudy gets afterwards, at the same address
		want  refusal.Code
	}{
		"peers of a user":                  {Quota{UserPeers: 3}, one, 3, 3, refusal.TooManyPeers},
		"peers of an address":              {Quota{AddressPeers: 3}, one, 3, 0, refusal.TooManyPeers},
		"peers of a user that connect":     {Quota{UserConnecting: 3}, one, 3, 3, refusal.RateLimited},
		"peers of an address that connect": {Quota{AddressConnecting: 3}, one, 3, 0, refusal.RateLimited},
		"slots of a user":                  {Quota{UserSlots: 35}, many, 3, 3, refusal.TooManyPeers},
		"slots of an address":              {Quota{AddressSlots: 35}, many, 3, 0, refusal.TooManyPeers},
		"lines of a user":                  {Quota{UserLines: 25}, many, 3, 3, refusal.RateLimited},
		"lines of an address":              {Quota{AddressLines: 25}, many, 3, 0, refusal.RateLimited},
		"peers of all guests":              {Quota{Peers: 3}, one, 3, 0, refusal.Busy},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Config{Quota: c.quota, RoomPeers: 1000})
			legs := 0
			var last *Peer
			try := func(who limit.Payer, offer string) error {
				legs++
				p, err := s.Room("stage").Join(fmt.Sprint(legs), who.User, who, &listener{})
				if err != nil {
					return err
				}
				if _, err := p.Offer(t.Context(), offer); err != nil {
					_ = p.Close()
					return err
				}
				last = p
				return nil
			}
			takes := func(who limit.Payer) (n int, err error) {
				for range 6 {
					if err = try(who, c.offer); err != nil {
						return n, err
					}
					n++
				}
				return n, nil
			}
			n, err := takes(mallory)
			refused, _ := refusal.Of(err)
			if n != c.takes || !refusal.Is(err, c.want) {
				t.Errorf("one guest got %d peers, then %v; want %d, then %s", n, err, c.takes, c.want)
			}
			if c.want == refusal.RateLimited && refused.Retry == 0 {
				t.Errorf("%v does not say when to try again", err)
			}
			mine := last
			if n, err := takes(trudy); n != c.left {
				t.Errorf("another guest got %d peers, then %v; want %d", n, err, c.left)
			}
			if err := try(alice, c.offer); err != nil {
				t.Errorf("a user at another address: %v", err)
			}
			_ = mine.Close()
			if err := try(mallory, c.offer); err != nil && c.quota.UserLines+c.quota.AddressLines == 0 {
				t.Errorf("after one of the peers was closed: %v", err)
			}
		})
	}
}

// More slots are charged as they are asked for, and what a later offer asks for no more is
// kept: the lines of a PeerConnection never go away.
func TestLaterOffersAreChargedForWhatTheyAdd(t *testing.T) {
	s := start(t, Config{Quota: Quota{UserSlots: 6}})
	p, err := s.Room("call").Join("leg", "alice", alice, &listener{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := sfutest.New(sfutest.Config{NoCamera: true, NoMicrophone: true, AudioSlots: 2, VideoSlots: 3}, p.Offer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.quotas.slots.Taken(); n != 5 {
		t.Errorf("%d slots are taken, want 5", n)
	}
	if err := client.MoreVideo(t.Context(), 1); err != nil {
		t.Errorf("a sixth slot: %v", err)
	}
	if err := client.MoreVideo(t.Context(), 1); !refusal.Is(err, refusal.TooManyPeers) {
		t.Errorf("a seventh slot: got %v, want %s", err, refusal.TooManyPeers)
	}
	if n := s.quotas.slots.Taken(); n != 6 {
		t.Errorf("%d slots are taken, want 6", n)
	}
}

func TestAPeerThatNeverConnectsIsClosed(t *testing.T) {
	s := start(t, Config{ConnectSeconds: 1, Quota: Quota{UserConnecting: 2}})
	r := s.Room("call")
	here := join(t, r, "here", sfutest.Config{})
	here.Talk(30)
	lost := &listener{}
	p, err := r.Join("lost", "lost", alice, lost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Offer(t.Context(), offerFor(t, 5)); err != nil {
		t.Fatal(err)
	}
	silent, err := r.Join("silent", "silent", alice, &listener{}) // never offers
	if err != nil {
		t.Fatal(err)
	}
	until(t, "both are closed", func() bool { return p.Closed() && silent.Closed() && s.quotas.peers.Taken() == 1 })
	if !lost.is(MediaDown) {
		t.Error("its listener was not told")
	}
	if n := s.quotas.slots.Taken(); n != 4 {
		t.Errorf("%d slots are taken, want the 4 of the one that is here", n)
	}
	if _, err := p.Offer(t.Context(), offerFor(t, 5)); !refusal.Is(err, refusal.LegUnknown) {
		t.Errorf("a later offer: got %v, want %s", err, refusal.LegUnknown)
	}
	if here.peer.Closed() || !here.listener.is(MediaUp) {
		t.Error("one that is connected was closed")
	}
}

// TestMemoryOfPeersIsGivenBack has peers come and go that ask for all that they may.
func TestMemoryOfPeersIsGivenBack(t *testing.T) {
	s := start(t, Config{RoomPeers: 1000, Quota: Quota{UserSlots: -1, UserPeers: -1}})
	offer := offerFor(t, 49)
	come := func(n int) (peers []*Peer) {
		for i := range n {
			p, err := s.Room(fmt.Sprint("room ", i%3)).Join(fmt.Sprint(i), "x", nobody, &listener{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Offer(t.Context(), offer); err != nil {
				t.Fatal(err)
			}
			peers = append(peers, p)
		}
		return peers
	}
	goAway := func(peers []*Peer, goroutines int) {
		for _, p := range peers {
			_ = p.Close()
		}
		until(t, "their goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
	}
	before := runtime.NumGoroutine()
	goAway(come(3), before) // what is made once and kept
	empty := heap()
	peers := come(30)
	full := heap()
	goAway(peers, before)
	clear(peers)
	left := heap()
	t.Logf("30 peers with 49 slots: %d kB each; %d kB in all when they are gone", (full-empty)/30>>10, (int64(left)-int64(empty))>>10)
	if left > empty && left-empty > (full-empty)/10 {
		t.Errorf("%d of %d bytes are not given back", left-empty, full-empty)
	}
	if n := s.quotas.peers.Taken() + s.quotas.connecting.Taken() + s.quotas.slots.Taken(); n != 0 {
		t.Errorf("%d peers and slots are still counted", n)
	}
}

// A peer is made before its room is locked, so that many may be made for one leg at the same
// time, and the room may end meanwhile. One of them remains.
func TestOfManyWhoJoinAsOneLegOneRemains(t *testing.T) {
	s := start(t, Config{})
	for range 5 {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				p, err := s.Room("call").Join("leg", "alice", alice, &listener{})
				if err != nil {
					t.Error(err)
				} else if rand.IntN(2) == 0 {
					_ = p.Close()
				}
			})
		}
		wg.Wait()
		p, err := s.Room("call").Join("leg", "alice", alice, &listener{})
		if err != nil {
			t.Fatal(err)
		}
		r := s.Room("call")
		r.mu.Lock()
		if len(r.peers) != 1 || r.peers[0] != p {
			t.Errorf("%d peers are in the room, want the newest", len(r.peers))
		}
		r.mu.Unlock()
		if n := s.quotas.peers.Taken(); n != 1 {
			t.Errorf("%d peers are counted, want 1", n)
		}
		_ = p.Close()
	}
	if n := s.quotas.peers.Taken() + s.quotas.connecting.Taken(); n != 0 {
		t.Errorf("%d peers are counted after all were closed", n)
	}
}

// TestAPeerThatLeftIsForgotten: others of the room showed what it sent, and live on.
func TestAPeerThatLeftIsForgotten(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	bob := join(t, r, "bob", sfutest.Config{})
	bob.Talk(30)
	alice, heard := r.comeAndGo(t, bob)
	until(t, "nothing holds the peer any more", func() bool { runtime.GC(); return alice.Value() == nil })
	until(t, "nothing holds its listener any more", func() bool { runtime.GC(); return heard.Value() == nil })
}

// comeAndGo has a peer talk with another one and leave.
func (r *Room) comeAndGo(t *testing.T, other *person) (weak.Pointer[Peer], weak.Pointer[listener]) {
	l := &listener{}
	p, err := r.Join("leg-alice", "alice", nobody, l)
	if err != nil {
		t.Fatal(err)
	}
	client, err := sfutest.New(sfutest.Config{}, p.Offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.Talk(30)
	alice := &person{Client: client, name: "alice", listener: l, peer: p}
	other.gets(t, alice, Camera)
	alice.gets(t, other, Camera)
	_ = client.Close()
	_ = p.Close()
	return weak.Make(p), weak.Make(l)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // pools keep things for one collection more
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
