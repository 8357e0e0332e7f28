package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Paths of media.
const (
	PathUDP     = "udp"
	PathTCP     = "ice-tcp"
	PathTURN    = "turn-udp"
	PathTURNTCP = "turn-tcp"
	PathTURNTLS = "turn-tls"
)

// signaler is how a target takes peers. The room is one per load.
type signaler interface {
	publish(ctx context.Context, offer string) (answer string, leave func(context.Context) error, err error)
	watch(ctx context.Context, offer string) (answer string, leave func(context.Context) error, err error)
	// join is for peers that do both.
	join(ctx context.Context, offer string) (answer string, leave func(context.Context) error, err error)
}

// load is all peers of one target: who publishes, who watches, the sockets between.
type load struct {
	hub    *hub
	pacer  *pacer
	via    path
	signal signaler
	cert   certificate
	media  Media
	data   bool

	inSilence bool // who connects now waits for media that is not sent yet

	joined atomic.Int64 // peers that began to come

	wg   sync.WaitGroup
	done chan struct{}

	mu    sync.Mutex
	peers []*peer
}

// setupAtOnce is how many peers connect at the same time.
const setupAtOnce = 16

func newLoad(h *hub, via path, signal signaler, cert certificate, media Media) *load {
	l := &load{hub: h, pacer: newPacer(), via: via, signal: signal, cert: cert, media: media, done: make(chan struct{})}
	h.start()
	l.pacer.start()
	l.wg.Go(l.reportLoop)
	return l
}

// addPublishers brings up n peers that only send. They send after run.
func (l *load) addPublishers(ctx context.Context, n int) error {
	for range n {
		s := newSource(l.media)
		p := newPeer("publisher", l.via, l.hub, s.lines(), l.data, l.cert)
		if err := l.bring(ctx, p, s, l.signal.publish); err != nil {
			return err
		}
	}
	return nil
}

// addWatchers brings up n peers that only receive one publisher's media.
func (l *load) addWatchers(ctx context.Context, n int) error {
	return l.many(ctx, n, func(ctx context.Context) error {
		p := newPeer("subscriber", l.via, l.hub, l.watchLines(0, 1, 1), l.data, l.cert)
		return l.bring(ctx, p, nil, l.signal.watch)
	})
}

// addMembers brings up n peers that send and see up to slots others, as in a conference.
func (l *load) addMembers(ctx context.Context, n, slots int) error {
	return l.many(ctx, n, func(ctx context.Context) error {
		s := newSource(l.media)
		lines := s.lines()
		p := newPeer("member", l.via, l.hub, append(lines, l.watchLines(len(lines), 3, slots)...), l.data, l.cert)
		return l.bring(ctx, p, s, l.signal.join)
	})
}

func (l *load) watchLines(from, audio, video int) (lines []line) {
	if l.media.AudioOnly {
		video = 0
	}
	for i := range audio + video {
		lines = append(lines, line{mid: fmt.Sprint(from + i), video: i >= audio, codec: l.media.Codec})
	}
	return lines
}

func (l *load) many(ctx context.Context, n int, one func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(setupAtOnce)
	for range n {
		g.Go(func() error { return one(ctx) })
	}
	return g.Wait()
}

func (l *load) bring(ctx context.Context, p *peer, s *source, signal exchange) error {
	p.source, p.inSilence = s, l.inSilence
	p.in.rounds = reportStride * int(l.joined.Add(1))
	err := p.connect(ctx, signal)
	if err == nil && s != nil {
		if err = s.begin(p, time.Now()); err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(err, p.close(closing))
	}
	if s != nil {
		l.pacer.add(s)
	}
	l.mu.Lock()
	l.peers = append(l.peers, p)
	l.mu.Unlock()
	return nil
}

// removeWatchers takes away the n that came last.
func (l *load) removeWatchers(ctx context.Context, n int) error {
	l.mu.Lock()
	var gone []*peer
	for i := len(l.peers) - 1; i >= 0 && len(gone) < n; i-- {
		if l.peers[i].source == nil {
			gone = append(gone, l.peers[i])
			l.peers = append(l.peers[:i], l.peers[i+1:]...)
		}
	}
	l.mu.Unlock()
	return closeAll(ctx, gone)
}

func (l *load) snapshot() []*peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*peer(nil), l.peers...)
}

// reportLoop lets every peer report.
func (l *load) reportLoop() {
	tick := time.NewTicker(reportTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			now, running := time.Now().UnixNano(), l.pacer.running.Load()
			for _, p := range l.snapshot() {
				p.report(now, running)
			}
		case <-l.done:
			return
		}
	}
}

// phases returns, for each step of setting up, how long it took the subscribers.
func (l *load) phases() map[string][]time.Duration {
	all := map[string][]time.Duration{}
	for _, p := range l.snapshot() {
		m := p.wire.meter()
		m.mu.Lock()
		first := p.in.first
		m.mu.Unlock()
		for _, name := range phaseOrder[:3] {
			all[name] = append(all[name], p.phases[name])
		}
		if first > 0 && !p.inSilence {
			all[phaseMedia] = append(all[phaseMedia], first)
		}
	}
	return all
}

// allSee says whether every peer that receives has had media.
func (l *load) allSee() bool {
	return !slices.ContainsFunc(l.snapshot(), func(p *peer) bool {
		m := p.wire.meter()
		m.mu.Lock()
		defer m.mu.Unlock()
		return p.receives() && p.in.first == 0
	})
}

// jitter returns the RFC 3550 jitter of each stream, in milliseconds.
func (l *load) jitter() (all []float64) {
	for _, p := range l.snapshot() {
		m := p.wire.meter()
		m.mu.Lock()
		for _, s := range p.in.streams {
			if !s.repair && s.track.started {
				all = append(all, s.jitter/s.clock*1000)
			}
		}
		m.mu.Unlock()
	}
	return all
}

// starved counts the subscribers that received nothing since the last call.
func (l *load) starved() (n int) {
	for _, p := range l.snapshot() {
		if p.receives() && p.progress() == 0 {
			n++
		}
	}
	return n
}

func (p *peer) receives() bool {
	for _, l := range p.lines {
		if !l.send {
			return true
		}
	}
	return false
}

// progress is how many packets came since the last call.
func (p *peer) progress() int64 {
	m := p.wire.meter()
	m.mu.Lock()
	defer m.mu.Unlock()
	var fresh int64
	for _, s := range p.in.streams {
		fresh += s.fresh
	}
	since := fresh - p.in.counted
	p.in.counted = fresh
	return since
}

// close takes all peers away. It may be called twice.
func (l *load) close(ctx context.Context) error {
	select {
	case <-l.done:
		return nil
	default:
	}
	close(l.done)
	l.pacer.stop()
	l.wg.Wait()
	return errors.Join(closeAll(ctx, l.snapshot()), l.hub.close())
}

func closeAll(ctx context.Context, peers []*peer) error {
	var g errgroup.Group
	g.SetLimit(setupAtOnce)
	for _, p := range peers {
		g.Go(func() error { return p.close(ctx) })
	}
	return g.Wait()
}
