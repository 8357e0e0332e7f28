package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// AddPublishers connects n peers that only send.
func (g *Generator) AddPublishers(ctx context.Context, n int) error {
	for range n {
		media := newPublication(g.config.Media)
		if err := g.connect(ctx, g.newPeer("publisher", media.sections()), media, g.config.WHIP.publish); err != nil {
			return err
		}
	}
	return nil
}

// AddSubscribers connects n peers that only receive, one publisher's media each.
func (g *Generator) AddSubscribers(ctx context.Context, n int) error {
	return inParallel(ctx, n, func(ctx context.Context) error {
		return g.connect(ctx, g.newPeer("subscriber", g.receivingSections(0, 1, 1)), nil, g.config.WHIP.watch)
	})
}

// AddMembers connects n peers that send and see up to slots others, as in a conference.
func (g *Generator) AddMembers(ctx context.Context, n, slots int) error {
	return inParallel(ctx, n, func(ctx context.Context) error {
		media := newPublication(g.config.Media)
		sections := media.sections()
		sections = append(sections, g.receivingSections(len(sections), 3, slots)...)
		return g.connect(ctx, g.newPeer("member", sections), media, g.config.WHIP.join)
	})
}

// RemoveSubscribers lets the n that came last leave.
func (g *Generator) RemoveSubscribers(ctx context.Context, n int) error {
	g.mu.Lock()
	var leaving []*Peer
	for i := len(g.peers) - 1; i >= 0 && len(leaving) < n; i-- {
		if g.peers[i].publication == nil {
			leaving = append(leaving, g.peers[i])
			g.peers = append(g.peers[:i], g.peers[i+1:]...)
		}
	}
	g.mu.Unlock()
	return closeAll(ctx, leaving)
}

func (g *Generator) newPeer(name string, sections []section) *Peer {
	return newPeer(name, g.config.Path, g.sockets, sections, g.config.Data, g.config.Certificate)
}

// receivingSections are media sections that receive, with mids from a number on.
func (g *Generator) receivingSections(from, audio, video int) (sections []section) {
	if g.config.Media.AudioOnly {
		video = 0
	}
	for i := range audio + video {
		sections = append(sections, section{mid: fmt.Sprint(from + i), video: i >= audio, codec: g.config.Media.Codec})
	}
	return sections
}

func inParallel(ctx context.Context, n int, one func(context.Context) error) error {
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(setupAtOnce)
	for range n {
		all.Go(func() error { return one(ctx) })
	}
	return all.Wait()
}

// connect brings a peer up and adds it; media is nil for one that only receives.
func (g *Generator) connect(ctx context.Context, p *Peer, media *publication, signal exchange) error {
	p.publication, p.silent = media, g.silent
	p.inbound.ticks = reportStride * int(g.joined.Add(1))
	err := p.connect(ctx, signal)
	if err == nil && media != nil {
		if err = media.begin(p, time.Now()); err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(err, p.close(closing))
	}
	if media != nil {
		g.pacer.add(media)
	}
	g.mu.Lock()
	g.peers = append(g.peers, p)
	g.mu.Unlock()
	return nil
}
