package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// flood is one thing that an attacker does.
type flood struct {
	name string
	who  string // the least that the attacker must be
	does string
	tls  bool // the server serves HTTP over TLS

	prepare func(ctx context.Context, w *world) error // nil: nothing; not measured
	// run attacks until ctx ends, and says what the attacker got. It may end earlier. What it
	// holds then, it gives back by w.release.
	run func(ctx context.Context, w *world) (got string, err error)
}

// floods are all there are, in the order in which they are run.
var floods = []flood{
	{name: "nothing", who: "nobody", does: "is what honest users feel without a flood", run: nothing},

	{name: "reflector", who: "a user", does: "moves the media of an own leg to an address that never answers, by a forged nomination, and asks for repairs",
		prepare: prepareReflector, run: reflector},
	{name: "lite", who: "a user", does: "names an address that never answers in an a=ice-lite offer, and asks for repairs",
		prepare: prepareLite, run: lite},
	{name: "whep", who: "a user", does: "makes 300 WHEP offers of 49 slots", prepare: prepareWHEP, run: whep},
	{name: "ice-tcp", who: "anyone", does: "holds 3,000 silent connections to the media port", run: silentICE},
	{name: "http", who: "anyone", does: "holds 4,096 silent connections to the HTTP port", run: silentHTTP},
	{name: "groups", who: "a user", does: "makes groups of 100 members", run: groups},
	{name: "messages", who: "a user", does: "writes messages of 16 KB", run: messages},
	{name: "reads", who: "a user", does: "asks for pages of 800 KB from 150 tabs", prepare: prepareReads, run: reads},
	{name: "rings", who: "a user", does: "calls somebody again and again, and hangs up", prepare: prepareRings, run: rings},
	{name: "guest-rings", who: "anyone", does: "makes ten guests, who call somebody in reach.guests again and again", prepare: prepareGuestRings, run: guestRings},

	{name: "hellos", who: "anyone", does: "signs in with tokens that are wrong", run: hellos},
	{name: "keys", who: "anyone", does: "signs in with tokens of keys that nobody knows", run: unknownKeys},
	{name: "guests", who: "anyone", does: "makes guests", run: guests},
	{name: "pings", who: "a user", does: "sends WebSocket pings", run: pings},
	{name: "fragments", who: "a user", does: "sends empty fragments of a WebSocket message", run: fragments},
	{name: "reset", who: "anyone", does: "takes back HTTP/2 requests at once", tls: true, run: rapidReset},

	{name: "dtls", who: "anyone", does: "sends DTLS ClientHellos from many ports", run: clientHellos},
	{name: "chat", who: "a member", does: "sends 60 KB frames on the data channel of a call", prepare: prepareMember, run: chatChannel},
	{name: "lossy", who: "a member", does: "sends on the lossy channel of a call", prepare: prepareMember, run: lossyChannel},
	{name: "channels", who: "a member", does: "opens 5,000 data channels", prepare: prepareMember, run: manyChannels},
	{name: "allocate", who: "anyone", does: "asks TURN for relays without a credential", run: allocates},
	{name: "relays", who: "a user", does: "asks TURN for 400 relays", run: relays},
}

func nothing(ctx context.Context, _ *world) (string, error) {
	<-ctx.Done()
	return "", nil
}

// outcomes counts how attempts of an attacker ended, by a word each.
type outcomes struct {
	mu sync.Mutex
	by map[string]int
}

func (o *outcomes) add(outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.by == nil {
		o.by = map[string]int{}
	}
	o.by[outcome]++
}

func (o *outcomes) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for _, outcome := range slices.Sorted(maps.Keys(o.by)) {
		all = append(all, fmt.Sprintf("%d %s", o.by[outcome], outcome))
	}
	return strings.Join(all, ", ")
}

// repeatedly lets workers do something again and again until ctx ends, at most so many times and
// at most so often in a second, all together.
func repeatedly(ctx context.Context, workers, most, perSecond int, do func(ctx context.Context, worker, n int)) {
	turns := make(chan int)
	var working sync.WaitGroup
	defer working.Wait()
	defer close(turns)
	for worker := range workers {
		working.Go(func() {
			for n := range turns {
				do(ctx, worker, n)
			}
		})
	}
	began := time.Now()
	for n := range most {
		if early := time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(perSecond))); early > time.Millisecond {
			sleep(ctx, early)
		}
		select {
		case turns <- n:
		case <-ctx.Done():
			return
		}
	}
}

func megabytes(n float64) string { return fmt.Sprintf("%.1f MB", n/1e6) }
