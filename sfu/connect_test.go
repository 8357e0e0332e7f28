package sfu

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"carillon/sfu/sfutest"
)

// lossy loses a share of all datagrams of a client, the same ones in each run.
func lossy(share float64, seed uint64) func([]byte, bool) bool {
	var mu sync.Mutex
	ways := [2]*rand.Rand{rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))}
	return func(_ []byte, incoming bool) bool {
		mu.Lock()
		defer mu.Unlock()
		way := ways[0]
		if incoming {
			way = ways[1]
		}
		return way.Float64() < share
	}
}

// A client gives up after 15 s. With a fifth of all datagrams lost on each way, one in
// twenty was not connected by then: the interval of DTLS began at a second and doubled.
func TestClientsConnectOverALossyNetwork(t *testing.T) {
	const clients = 40
	s := start(t, Config{NoTCP: true})
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	took := make([]time.Duration, clients) // 0: not connected
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			p, err := s.Room("call").Join("leg-"+string(rune('A'+i)), "x", &listener{})
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Close()
			c, err := sfutest.New(sfutest.Config{NoChannels: true, Lose: lossy(0.2, uint64(i))}, p.Offer)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			begun := time.Now()
			if err := c.Dial(ctx); err == nil {
				took[i] = time.Since(begun)
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	up := clients - slices.IndexFunc(took, func(d time.Duration) bool { return d > 0 })
	t.Logf("%d of %d are up; median %v, p90 %v, slowest %v", up, clients, took[clients/2], took[clients*9/10], took[clients-1])
	if up != clients {
		t.Errorf("%d of %d clients were connected within 15 s", up, clients)
	}
}

func TestAFailedHandshakeIsToldAndANewConnectionReplacesIt(t *testing.T) {
	s := start(t, Config{})
	s.dtlsTime = 300 * time.Millisecond
	r := s.Room("call")
	alice := join(t, r, "alice", sfutest.Config{})
	alice.Talk(30)
	cfg, letGo := slow()
	defer letGo()
	l := &listener{}
	p, err := r.Join("leg-bob", "bob", l)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sfutest.New(cfg, p.Offer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { letGo(); _ = c.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	dialed := make(chan error, 1)
	go func() { dialed <- c.Dial(ctx) }()
	until(t, "the failure is told", func() bool { return l.is(MediaDown) })
	if p.ready.Load() {
		t.Error("a peer without DTLS counts as connected")
	}
	cancel()
	if err := <-dialed; err == nil {
		t.Error("the client was connected without DTLS")
	}
	bob := join(t, r, "bob", sfutest.Config{}) // the same leg, with a new PeerConnection
	bob.gets(t, alice, Camera)
	bob.smooth(t)
}
