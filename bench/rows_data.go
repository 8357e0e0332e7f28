package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/datachannel"
)

// Of the data-channel rows: how many peers are in the room, how often one of them
// writes, and how much.
const (
	dataPeers = 20
	dataRate  = 200
	dataBytes = 300
)

// dataChannels measures messages of one peer to all others of a room, over chat or lossy.
func (r *runner) dataChannels(ctx context.Context, path string, t targetSpec) (err error) {
	media := r.options.Media
	media.AudioOnly = true
	g := group{path: path, shape: ShapeChat, subscribers: dataPeers - 1, media: media}
	b, err := r.openData(ctx, g, t)
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
	peers := b.load.snapshot()
	pick := func(p *peer) *datachannel.DataChannel {
		if path == PathLossy {
			return p.channels.lossy
		}
		return p.channels.chat
	}
	for _, p := range peers[1:] {
		readers.Go(func() { readStamps(pick(p), &total) })
	}
	if err := r.allHear(ctx, pick(peers[0]), &total, len(peers)-1); err != nil {
		return err
	}
	err = r.repeat(ctx, b, operations{rate: dataRate, fanout: len(peers) - 1, do: func(_ context.Context, _ int, _ time.Time) error {
		return writeMessage(pick(peers[0]))
	}}, &total)
	if len(b.windows) > 0 {
		b.setup = b.load.phases()
		r.keep(g, b, fmt.Sprintf("one of %d peers writes %d messages of %d bytes a second to the others", dataPeers, dataRate, dataBytes))
	}
	return err
}

func (r *runner) openData(ctx context.Context, g group, t targetSpec) (*bed, error) {
	process, err := startProcess(ctx, t.name, append(append([]string(nil), r.options.Command...), t.name), r.pin.server)
	if err != nil {
		return nil, err
	}
	b := &bed{target: t.name, proc: process, pid: process.pid, cores: r.serverCores(), generator: r.loadCores()}
	h, err := newHub(r.loadCores(), 1, r.netem)
	if err != nil {
		return b, err
	}
	b.load = newLoad(h, directUDP{}, whipSignaler{whip: process.ready.URL + "/whip/bench", whep: process.ready.URL + "/whep/bench"}, r.cert, g.media)
	b.load.data = true
	b.memory.rest = residentMemory(b.pid)
	if err := b.load.addWatchers(ctx, dataPeers); err != nil {
		return b, errors.Join(b.gone(), err)
	}
	b.memory.loaded, b.memory.peers = residentMemory(b.pid), dataPeers
	return b, nil
}

// allHear writes until every reader has had a message: the server learns of a channel
// only after we think that it is open.
func (r *runner) allHear(ctx context.Context, from *datachannel.DataChannel, t *tally, readers int) error {
	ok := waitFor(ctx, 5*time.Second, func() bool {
		t.take()
		if writeMessage(from) != nil {
			return false
		}
		return waitFor(ctx, 100*time.Millisecond, func() bool { return t.count() >= uint64(readers) })
	})
	if !ok {
		return fmt.Errorf("a message on the data channel does not reach all %d others", readers)
	}
	return nil
}

// writeMessage sends text, as clients do, that ends with a stamp.
func writeMessage(c *datachannel.DataChannel) error {
	b := make([]byte, dataBytes)
	fill(b)
	writeStamp(b, time.Now().UnixNano())
	_, err := c.WriteDataChannel(b, false)
	return err
}

// readStamps ends with the channel.
func readStamps(c *datachannel.DataChannel, t *tally) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := c.ReadDataChannel(b)
		if err != nil {
			return
		}
		if sent, ok := readStamp(b[:n]); ok {
			t.add(time.Duration(time.Now().UnixNano() - sent))
		}
	}
}
