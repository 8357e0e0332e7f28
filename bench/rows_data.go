package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// In the rows of data channels one peer of a room writes to the others.
const (
	dataPeers = 20
	dataRate  = 200 // messages per second
	dataBytes = 300 // of each
)

// dataChannels measures messages from one peer to all others of a room, over the channel chat
// or lossy.
func (r *runner) dataChannels(ctx context.Context, path string, t target.Spec) (err error) {
	media := r.options.Media
	media.AudioOnly = true
	g := group{path: path, shape: report.ShapeChat, subscribers: dataPeers - 1, media: media}
	b, err := r.openDataTestBed(ctx, g, t)
	if b != nil {
		defer func() { err = errors.Join(err, b.close()) }()
	}
	if err != nil {
		return err
	}
	var total tally
	var readers sync.WaitGroup
	defer readers.Wait()
	defer func() { _ = b.close() }() // which ends the readers
	peers := b.generator.Peers()
	lossy := path == report.PathLossy
	send := func() error { return peers[0].SendStamped(lossy, dataBytes) }
	for _, p := range peers[1:] {
		readers.Go(func() { p.ReadStamped(lossy, total.add) })
	}
	if err := waitUntilAllReceive(ctx, send, &total, len(peers)-1); err != nil {
		return err
	}
	err = r.repeat(ctx, b, operations{rate: dataRate, fanout: len(peers) - 1, do: func(context.Context, int, time.Time) error { return send() }}, &total)
	if len(b.windows) > 0 {
		b.setup = b.generator.Setup()
		r.addRow(g, b, fmt.Sprintf("one of %d peers writes %d messages of %d bytes a second to the others", dataPeers, dataRate, dataBytes))
	}
	return err
}

func (r *runner) openDataTestBed(ctx context.Context, g group, t target.Spec) (*testBed, error) {
	process, err := target.Start(ctx, t.Name, append(append([]string(nil), r.options.Command...), t.Name), r.cores.server)
	if err != nil {
		return nil, err
	}
	b := r.newTestBed(t.Name, process)
	b.generator, err = load.New(load.Config{
		WHIP:        load.WHIP{Publish: process.Ready.URL + "/whip/bench", Watch: process.Ready.URL + "/whep/bench"},
		Certificate: r.cert, Media: g.media, Data: true, Readers: r.loadCores(), Netem: r.netem,
	})
	if err != nil {
		return b, err
	}
	b.memory.before = target.ResidentMemory(b.pid)
	if err := b.generator.AddSubscribers(ctx, dataPeers); err != nil {
		return b, errors.Join(b.targetDied(), err)
	}
	b.memory.after, b.memory.peers = target.ResidentMemory(b.pid), dataPeers
	return b, nil
}

// waitUntilAllReceive writes until every reader has had a message: to a client a channel is
// open a little before the server knows of it.
func waitUntilAllReceive(ctx context.Context, send func() error, t *tally, readers int) error {
	ok := waitFor(ctx, 5*time.Second, func() bool {
		t.take()
		if send() != nil {
			return false
		}
		return waitFor(ctx, 100*time.Millisecond, func() bool { return t.count() >= uint64(readers) })
	})
	if !ok {
		return fmt.Errorf("a message on the data channel does not reach all %d others", readers)
	}
	return nil
}
