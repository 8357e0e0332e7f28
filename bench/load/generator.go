package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config of a Generator.
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

// Generator is all peers of one target: publishers, subscribers, and the sockets between
// them and the server. End it with Close.
type Generator struct {
	// Fixed at construction.
	config  Config
	sockets *sockets
	pacer   *pacer
	done    chan struct{}
	wg      sync.WaitGroup

	silent bool         // see Silence; only who adds peers reads and writes it
	joined atomic.Int64 // peers that were added, also those that did not come up

	mu    sync.Mutex
	peers []*Peer
}

// setupAtOnce is how many peers connect at the same time.
const setupAtOnce = 16

// New opens the sockets. Publishers that are added later send from Run on.
func New(c Config) (*Generator, error) {
	if c.Path == nil {
		c.Path = UDP{}
	}
	c.WHIP.client = newSignalClient()
	s, err := openSockets(c.Readers, c.Sample, c.Netem)
	if err != nil {
		return nil, err
	}
	g := &Generator{config: c, sockets: s, pacer: newPacer(), done: make(chan struct{})}
	s.start()
	g.pacer.start()
	g.wg.Go(g.reportLoop)
	return g, nil
}

// Run lets the publishers send.
func (g *Generator) Run() { g.pacer.run() }

// Pause stops the publishers until the next Run.
func (g *Generator) Pause() { g.pacer.pause() }

// KeepAlive lets publishers send a frame a second in a pause too, since a server may drop
// who is silent.
func (g *Generator) KeepAlive() { g.pacer.keepAlive.Store(true) }

// Silence says that peers which are added from now on come while nothing is sent. The time
// until their first media is then not part of their set-up.
func (g *Generator) Silence() { g.silent = true }

// Peers are those that came up and have not left, in the order in which they came.
func (g *Generator) Peers() []*Peer {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*Peer(nil), g.peers...)
}

// reportLoop lets every peer send its RTCP reports.
func (g *Generator) reportLoop() {
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			now, running := time.Now().UnixNano(), g.pacer.running.Load()
			for _, p := range g.Peers() {
				p.report(now, running)
			}
		case <-g.done:
			return
		}
	}
}

// Forget makes Close faster when the server is gone: peers do not tell it that they leave.
func (g *Generator) Forget() {
	for _, p := range g.Peers() {
		p.leave = nil
	}
}

// Close lets all peers leave and closes the sockets. It may be called twice.
func (g *Generator) Close(ctx context.Context) error {
	select {
	case <-g.done:
		return nil
	default:
	}
	close(g.done)
	g.pacer.stop()
	g.wg.Wait()
	err := closeAll(ctx, g.Peers())
	g.sockets.close()
	g.config.WHIP.client.CloseIdleConnections()
	return err
}

func closeAll(ctx context.Context, peers []*Peer) error {
	var all errgroup.Group
	all.SetLimit(setupAtOnce)
	for _, p := range peers {
		all.Go(func() error { return p.close(ctx) })
	}
	return all.Wait()
}
