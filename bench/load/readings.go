package load

import "slices"

// Sent returns how many packets of media left since the last call, and how late each was
// against its schedule.
func (g *Generator) Sent() (late Histogram, packets uint64) { return g.pacer.take() }

// Received returns what arrived since the last call, and the latency of the packets that
// carried a time stamp of ours.
func (g *Generator) Received() (c Counts, latency *Histogram) { return g.sockets.take() }

// Starved counts the peers that should receive and received nothing since the last call.
func (g *Generator) Starved() (n int) {
	for _, p := range g.Peers() {
		if p.receives() && p.progress() == 0 {
			n++
		}
	}
	return n
}

// Setup is how long each step of setting up took the peers.
type Setup struct {
	Signal Histogram // from the offer until the answer is here
	ICE    Histogram
	DTLS   Histogram
	Media  Histogram // from the keys until the first packet of media can be read
}

// Setup returns the steps of all peers that are there.
func (g *Generator) Setup() *Setup {
	all := new(Setup)
	for _, p := range g.Peers() {
		m := p.transport.meter()
		m.mu.Lock()
		first := p.inbound.firstMedia
		m.mu.Unlock()
		all.Signal.Add(int64(p.took.signal))
		all.ICE.Add(int64(p.took.ice))
		all.DTLS.Add(int64(p.took.dtls))
		if first > 0 && !p.silent {
			all.Media.Add(int64(first))
		}
	}
	return all
}

// AllHaveMedia says whether every peer that receives has received media.
func (g *Generator) AllHaveMedia() bool {
	return !slices.ContainsFunc(g.Peers(), func(p *Peer) bool {
		m := p.transport.meter()
		m.mu.Lock()
		defer m.mu.Unlock()
		return p.receives() && p.inbound.firstMedia == 0
	})
}

// Jitter returns the RFC 3550 jitter of each stream that is received, in milliseconds.
func (g *Generator) Jitter() (all []float64) {
	for _, p := range g.Peers() {
		m := p.transport.meter()
		m.mu.Lock()
		for _, s := range p.inbound.streams {
			if !s.retransmission && s.sequence.Started {
				all = append(all, s.jitter/s.clock*1000)
			}
		}
		m.mu.Unlock()
	}
	return all
}

// Subscribers counts the peers that only receive.
func (g *Generator) Subscribers() (n int) {
	for _, p := range g.Peers() {
		if p.publication == nil {
			n++
		}
	}
	return n
}

func (p *Peer) receives() bool {
	return slices.ContainsFunc(p.sections, func(s section) bool { return !s.send })
}

// progress is how many packets came since the last call.
func (p *Peer) progress() int64 {
	m := p.transport.meter()
	m.mu.Lock()
	defer m.mu.Unlock()
	var fresh int64
	for _, s := range p.inbound.streams {
		fresh += s.fresh
	}
	since := fresh - p.inbound.progressAt
	p.inbound.progressAt = fresh
	return since
}
