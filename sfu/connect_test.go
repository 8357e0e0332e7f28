package sfu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
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

func TestClientsConnectOverALossyNetwork(t *testing.T) {
	s := start(t, Config{NoTCP: true})
	for i := range 20 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			join(t, s.Room("call"), t.Name(), sfutest.Config{NoChannels: true, Lose: lossy(0.2, uint64(i))})
		})
	}
}

// Each loss doubles the interval after which a flight is sent again. From 100 ms on five
// losses in a row take 3 s; from pion's second on they took half a minute.
func TestAFlightThatIsLostFiveTimesIsSentAgain(t *testing.T) {
	s := start(t, Config{})
	var hellos atomic.Int32
	join(t, s.Room("call"), "alice", sfutest.Config{Lose: func(b []byte, incoming bool) bool {
		if !incoming || !sfutest.IsDTLS(b) {
			return false
		}
		if handshakeType(b) == serverHello {
			hellos.Add(1)
		}
		return hellos.Load() <= 5
	}})
}

func TestDTLSStartsWithoutHelloVerifyRequest(t *testing.T) {
	s := start(t, Config{})
	var verifies atomic.Int32
	join(t, s.Room("call"), "alice", sfutest.Config{Lose: func(b []byte, incoming bool) bool {
		if incoming && sfutest.IsDTLS(b) && handshakeType(b) == helloVerifyRequest {
			verifies.Add(1)
		}
		return false
	}})
	if n := verifies.Load(); n != 0 {
		t.Errorf("%d HelloVerifyRequests came, which cost a round trip each", n)
	}
}

const (
	serverHello        = 2
	helloVerifyRequest = 3
)

// handshakeType returns the type of the handshake message that a datagram begins with;
// 0: it begins with none.
func handshakeType(b []byte) byte {
	if len(b) < 14 || b[0] != 22 {
		return 0
	}
	return b[13]
}

func TestAFailedHandshakeIsToldAndANewConnectionReplacesIt(t *testing.T) {
	s := start(t, Config{})
	s.dtlsTime = 300 * time.Millisecond
	r := s.Room("call")
	alice := join(t, r, "alice", sfutest.Config{})
	alice.Talk(30)
	cfg, letGo := slow()
	bob := prepareAs(t, r, "leg-bob", "bob", cfg)
	t.Cleanup(letGo)
	ctx, cancel := context.WithCancel(t.Context())
	dialed := make(chan error, 1)
	go func() { dialed <- bob.Dial(ctx) }()
	until(t, "the failure is told", func() bool { return bob.listener.is(MediaDown) })
	if bob.peer.ready.Load() {
		t.Error("a peer without DTLS counts as connected")
	}
	cancel()
	if err := <-dialed; err == nil {
		t.Error("the client was connected without DTLS")
	}
	bob = join(t, r, "bob", sfutest.Config{}) // the same leg, with a new PeerConnection
	bob.gets(t, alice, Camera)
	bob.smooth(t)
}
