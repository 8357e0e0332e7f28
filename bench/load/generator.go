package load

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

// Config of a load.
type Config struct {
	Path        Path        // how peers reach the server; nil: straight over UDP
	WHIP        WHIP        // how the server takes peers; unused by peers with keys
	Certificate Certificate // of all peers; unused by peers with keys
	Media       Media       // what publishers send
	Data        bool        // peers open data channels too
	Readers     int         // threads that read; 0: one
	Sample      int         // decrypt and time one packet of so many; 0: all
	Netem       *Netem      // nil: the network as it is
}

// load is all peers of one target: who publishes, who watches, the sockets between.
type Generator struct {
	config Config
	hub    *hub
	pacer  *pacer

	inSilence bool // who connects now waits for media that is not sent yet

	joined atomic.Int64 // peers that began to come

	wg   sync.WaitGroup
	done chan struct{}

	mu    sync.Mutex
	peers []*Peer
}

// setupAtOnce is how many peers connect at the same time.
const setupAtOnce = 16

// newLoad opens the sockets. Publishers that are added send after run.
func New(c Config) (*Generator, error) {
	if c.Path == nil {
		c.Path = UDP{}
	}
	c.WHIP.client = newSignalClient()
	h, err := newHub(c.Readers, c.Sample, c.Netem)
	if err != nil {
		return nil, err
	}
	l := &Generator{config: c, hub: h, pacer: newPacer(), done: make(chan struct{})}
	h.start()
	l.pacer.start()
	l.wg.Go(l.reportLoop)
	return l, nil
}

// silence says that who connects from now on waits for media that is not sent yet.
func (l *Generator) Silence() { l.inSilence = true }

// run lets the publishers send, pause stops them.
func (l *Generator) Run()   { l.pacer.run() }
func (l *Generator) Pause() { l.pacer.pause() }

// murmur lets publishers send a little in a pause too, since a server may drop who is silent.
func (l *Generator) Murmur() { l.pacer.murmurs.Store(true) }

// sent returns what left since the last call, and how late.
func (l *Generator) Sent() (late Histogram, packets uint64) { return l.pacer.take() }

// received returns what arrived since the last call.
func (l *Generator) Received() (c Counts, latency *Histogram) { return l.hub.take() }

// addPublishers brings up n peers that only send. They send after run.
func (l *Generator) AddPublishers(ctx context.Context, n int) error {
	for range n {
		s := newSource(l.config.Media)
		p := newPeer("publisher", l.config.Path, l.hub, s.lines(), l.config.Data, l.config.Certificate)
		if err := l.bring(ctx, p, s, l.config.WHIP.publish); err != nil {
			return err
		}
	}
	return nil
}

// addWatchers brings up n peers that only receive one publisher's media.
func (l *Generator) AddSubscribers(ctx context.Context, n int) error {
	return l.many(ctx, n, func(ctx context.Context) error {
		p := newPeer("subscriber", l.config.Path, l.hub, l.watchLines(0, 1, 1), l.config.Data, l.config.Certificate)
		return l.bring(ctx, p, nil, l.config.WHIP.watch)
	})
}

// addMembers brings up n peers that send and see up to slots others, as in a conference.
func (l *Generator) AddMembers(ctx context.Context, n, slots int) error {
	return l.many(ctx, n, func(ctx context.Context) error {
		s := newSource(l.config.Media)
		lines := s.lines()
		p := newPeer("member", l.config.Path, l.hub, append(lines, l.watchLines(len(lines), 3, slots)...), l.config.Data, l.config.Certificate)
		return l.bring(ctx, p, s, l.config.WHIP.join)
	})
}

func (l *Generator) watchLines(from, audio, video int) (lines []line) {
	if l.config.Media.AudioOnly {
		video = 0
	}
	for i := range audio + video {
		lines = append(lines, line{mid: fmt.Sprint(from + i), video: i >= audio, codec: l.config.Media.Codec})
	}
	return lines
}

func (l *Generator) many(ctx context.Context, n int, one func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(setupAtOnce)
	for range n {
		g.Go(func() error { return one(ctx) })
	}
	return g.Wait()
}

func (l *Generator) bring(ctx context.Context, p *Peer, s *source, signal exchange) error {
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
func (l *Generator) RemoveSubscribers(ctx context.Context, n int) error {
	l.mu.Lock()
	var gone []*Peer
	for i := len(l.peers) - 1; i >= 0 && len(gone) < n; i-- {
		if l.peers[i].source == nil {
			gone = append(gone, l.peers[i])
			l.peers = append(l.peers[:i], l.peers[i+1:]...)
		}
	}
	l.mu.Unlock()
	return closeAll(ctx, gone)
}

// forget lets close spend no time with telling the server: it is gone.
func (l *Generator) Forget() {
	for _, p := range l.Peers() {
		p.leave = nil
	}
}

func (l *Generator) Peers() []*Peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Peer(nil), l.peers...)
}

// reportLoop lets every peer report.
func (l *Generator) reportLoop() {
	tick := time.NewTicker(reportTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			now, running := time.Now().UnixNano(), l.pacer.running.Load()
			for _, p := range l.Peers() {
				p.report(now, running)
			}
		case <-l.done:
			return
		}
	}
}

// setup is how long each step of setting up took the peers of a load.
type Setup struct {
	Signal Histogram // from the offer until the answer is here
	ICE    Histogram
	DTLS   Histogram
	Media  Histogram // from keys until the first packet of media can be read
}

// setupTimes returns those of all peers that are there.
func (l *Generator) Setup() *Setup {
	all := new(Setup)
	for _, p := range l.Peers() {
		m := p.wire.meter()
		m.mu.Lock()
		first := p.in.first
		m.mu.Unlock()
		all.Signal.Add(int64(p.took.signal))
		all.ICE.Add(int64(p.took.ice))
		all.DTLS.Add(int64(p.took.dtls))
		if first > 0 && !p.inSilence {
			all.Media.Add(int64(first))
		}
	}
	return all
}

// allSee says whether every peer that receives has had media.
func (l *Generator) AllHaveMedia() bool {
	return !slices.ContainsFunc(l.Peers(), func(p *Peer) bool {
		m := p.wire.meter()
		m.mu.Lock()
		defer m.mu.Unlock()
		return p.receives() && p.in.first == 0
	})
}

// jitter returns the RFC 3550 jitter of each stream, in milliseconds.
func (l *Generator) Jitter() (all []float64) {
	for _, p := range l.Peers() {
		m := p.wire.meter()
		m.mu.Lock()
		for _, s := range p.in.streams {
			if !s.repair && s.track.Started {
				all = append(all, s.jitter/s.clock*1000)
			}
		}
		m.mu.Unlock()
	}
	return all
}

// subscribers counts the peers that only receive.
func (l *Generator) Subscribers() (n int) {
	for _, p := range l.Peers() {
		if p.source == nil {
			n++
		}
	}
	return n
}

// starved counts the subscribers that received nothing since the last call.
func (l *Generator) Starved() (n int) {
	for _, p := range l.Peers() {
		if p.receives() && p.progress() == 0 {
			n++
		}
	}
	return n
}

func (p *Peer) receives() bool {
	for _, l := range p.lines {
		if !l.send {
			return true
		}
	}
	return false
}

// progress is how many packets came since the last call.
func (p *Peer) progress() int64 {
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
func (l *Generator) Close(ctx context.Context) error {
	select {
	case <-l.done:
		return nil
	default:
	}
	close(l.done)
	l.pacer.stop()
	l.wg.Wait()
	err := errors.Join(closeAll(ctx, l.Peers()), l.hub.close())
	l.config.WHIP.client.CloseIdleConnections()
	return err
}

func closeAll(ctx context.Context, peers []*Peer) error {
	var g errgroup.Group
	g.SetLimit(setupAtOnce)
	for _, p := range peers {
		g.Go(func() error { return p.close(ctx) })
	}
	return g.Wait()
}
