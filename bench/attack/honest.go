package main

import (
	"context"
	"sync"
	"time"

	"carillon/bench/load"
	"carillon/wire"
)

// felt is what honest users felt during a flood.
type felt struct{ hello, message, media figures }

const (
	helloEvery   = 200 * time.Millisecond
	messageEvery = 50 * time.Millisecond
	giveUp       = 5 * time.Second        // what takes longer has failed
	lateTime     = 500 * time.Millisecond // after which a packet of sound is of no use any more, so it is lost
)

// beHonest lets honest users do what they do until ctx ends. The returned function waits for
// the last answers and returns what they felt.
func (w *world) beHonest(ctx context.Context) func() felt {
	var hello, message tally
	var working sync.WaitGroup
	working.Go(func() {
		repeat(ctx, helloEvery, &hello, func(ctx context.Context) error {
			tab, err := w.dial(ctx, carol, nil)
			if err == nil {
				go tab.Close() // waits for its own goroutines only
			}
			return err
		})
	})
	working.Go(func() {
		repeat(ctx, messageEvery, &message, func(ctx context.Context) error {
			_, err := w.tabs[alice].Send(ctx, wire.MessageSend{Conversation: w.group, Text: "Is the blue one in stock?"})
			return err
		})
	})
	sound := w.listen(ctx)
	return func() felt {
		working.Wait()
		return felt{hello.figures(), message.figures(), sound()}
	}
}

// repeat does something at a steady pace, however long each takes, until ctx ends, and then waits
// for those under way.
func repeat(ctx context.Context, every time.Duration, t *tally, do func(context.Context) error) {
	var working sync.WaitGroup
	defer working.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		working.Go(func() {
			// What was begun in time counts, however it ends.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUp)
			defer cancel()
			began := time.Now()
			err := do(ctx)
			t.add(time.Since(began), err)
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// listen counts what bob hears of alice until ctx ends.
func (w *world) listen(ctx context.Context) func() figures {
	var mu sync.Mutex
	took := map[uint64]time.Duration{} // by the number of the packet
	heard := func(sent time.Time, n uint64) {
		late := time.Since(sent)
		mu.Lock()
		defer mu.Unlock()
		if _, again := took[n]; !again {
			took[n] = late
		}
	}
	first := w.alice.sent.Load()
	w.bob.heard.Store(&heard)
	var end uint64
	var ending sync.WaitGroup
	ending.Go(func() {
		<-ctx.Done()
		end = w.alice.sent.Load()
		time.Sleep(lateTime)
	})
	return func() figures {
		ending.Wait()
		w.bob.heard.Store(nil)
		mu.Lock()
		defer mu.Unlock()
		var t tally
		for n := first; n < end; n++ {
			if late, came := took[n]; came && late < lateTime {
				t.add(late, nil)
			} else {
				t.failed++
			}
		}
		return t.figures()
	}
}

// tally counts how long something took, again and again.
type tally struct {
	mu     sync.Mutex
	times  load.Histogram
	done   int
	failed int
}

func (t *tally) add(took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed++
		return
	}
	t.done++
	t.times.Add(int64(took))
}

func (t *tally) figures() figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	return figures{
		Count: t.done + t.failed, Failed: t.failed,
		Median: t.times.Quantile(0.5), P99: t.times.Quantile(0.99), Worst: t.times.Quantile(1),
	}
}
