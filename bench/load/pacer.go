package load

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// pacer sends what the publishers of a load owe, on schedule whatever the server does
// (an open loop): a late packet is sent late and counted, never skipped.
type pacer struct {
	sources atomic.Pointer[[]*source] // replaced, never edited
	running atomic.Bool
	murmurs atomic.Bool // in a pause a little is sent all the same: a server may drop who is silent
	wake    chan struct{}
	done    chan struct{}
	wg      sync.WaitGroup

	// Owned by loop.
	twcc    map[*source]uint16
	scratch []byte
	sealed  []byte

	mu   sync.Mutex
	late Histogram // how long after its time each packet left
	sent uint64
}

func newPacer() *pacer {
	p := &pacer{wake: make(chan struct{}, 1), done: make(chan struct{}), twcc: map[*source]uint16{}, scratch: make([]byte, 2048), sealed: make([]byte, 0, 2048)}
	p.sources.Store(new([]*source))
	return p
}

// add may be called by several goroutines.
func (p *pacer) add(s *source) {
	for {
		old := p.sources.Load()
		next := append(slices.Clone(*old), s)
		if p.sources.CompareAndSwap(old, &next) {
			return
		}
	}
}

func (p *pacer) start() { p.wg.Go(p.loop) }

// run and pause switch the schedule on and off; a schedule resumes at now.
func (p *pacer) run() {
	p.running.Store(true)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
func (p *pacer) pause() { p.running.Store(false) }

func (p *pacer) stop() { close(p.done); p.wg.Wait() }

// take returns what left since the last take, and how late.
func (p *pacer) take() (late Histogram, sent uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	late, sent = p.late, p.sent
	p.late, p.sent = Histogram{}, 0
	return late, sent
}

func (p *pacer) loop() {
	clock := newSleeper()
	defer clock.close()
	for {
		if !p.running.Load() {
			var due <-chan time.Time // nil: never
			if p.murmurs.Load() {
				due = time.After(murmurEvery)
			}
			select {
			case <-p.wake:
				p.resume(time.Now())
			case now := <-due:
				p.murmur(now)
			case <-p.done:
				return
			}
			continue
		}
		select {
		case <-p.done:
			return
		default:
		}
		now := time.Now()
		next := now.Add(audioFrame)
		for _, s := range *p.sources.Load() {
			p.serve(s, now)
			if t := s.next(); t.Before(next) {
				next = t
			}
		}
		clock.until(next)
	}
}

const murmurEvery = time.Second

// murmur sends one sound and one frame of each source.
func (p *pacer) murmur(now time.Time) {
	for _, s := range *p.sources.Load() {
		if s.audio.started {
			p.send(s, s.audio, s.sound(now), now)
		}
		for _, o := range s.video {
			if !o.started {
				continue
			}
			for _, packet := range s.frame(o, now) {
				p.send(s, o, packet, now)
			}
		}
	}
}

func (p *pacer) resume(now time.Time) {
	sources := *p.sources.Load()
	for i, s := range sources {
		at := now.Add(s.offset(i, len(sources)))
		s.nextFrame, s.nextAudio, s.even = at, at, nil
		for _, o := range s.video {
			o.key.Store(true) // whoever watches may have lost the picture in the pause
		}
	}
}

// next is when the source has something to send.
func (s *source) next() time.Time {
	next := s.nextAudio
	if len(s.video) > 0 && s.nextFrame.Before(next) {
		next = s.nextFrame
	}
	if len(s.even) > 0 && s.even[0].due.Before(next) {
		next = s.even[0].due
	}
	return next
}

func (p *pacer) serve(s *source, now time.Time) {
	for !s.nextAudio.After(now) {
		if speaks, resumes := s.talking(s.nextAudio); speaks && s.audio.started {
			packet := s.sound(s.nextAudio)
			packet.Marker = resumes
			p.send(s, s.audio, packet, s.nextAudio)
		}
		s.nextAudio = s.nextAudio.Add(audioFrame)
	}
	interval := time.Second / time.Duration(s.media.FPS)
	for len(s.video) > 0 && !s.nextFrame.After(now) {
		for _, o := range s.video {
			if !o.started {
				continue
			}
			packets := s.frame(o, s.nextFrame)
			for i, packet := range packets {
				if s.media.Pacing == Burst {
					p.send(s, o, packet, s.nextFrame)
					continue
				}
				s.even = append(s.even, scheduled{s.nextFrame.Add(interval * time.Duration(i) / time.Duration(len(packets))), o, packet})
			}
		}
		s.nextFrame = s.nextFrame.Add(interval)
		slices.SortStableFunc(s.even, func(a, b scheduled) int { return a.due.Compare(b.due) })
	}
	for len(s.even) > 0 && !s.even[0].due.After(now) {
		e := s.even[0]
		s.even = s.even[1:]
		p.send(s, e.out, e.packet, e.due)
	}
	p.repair(s)
	if !s.nextReport.After(now) {
		if b := s.report(now); b != nil {
			s.peer.sendRTCP(b)
		}
		s.nextReport = now.Add(time.Second)
	}
}

func (p *pacer) repair(s *source) {
	for {
		select {
		case n := <-s.again:
			packets, outs := s.repairs(n)
			for i, packet := range packets {
				p.write(s, outs[i], packet)
			}
		default:
			return
		}
	}
}

// send stamps the packet with the present and sends it.
func (p *pacer) send(s *source, o *outgoing, packet *rtp.Packet, due time.Time) {
	now := time.Now()
	writeStamp(packet.Payload, now.UnixNano())
	o.history[packet.SequenceNumber%uint16(len(o.history))] = kept{packet.SequenceNumber, packet}
	o.packets++
	o.size += uint32(len(packet.Payload))
	p.write(s, o, packet)
	s.sent.Add(1)
	p.mu.Lock()
	p.late.Add(int64(now.Sub(due)))
	p.sent++
	p.mu.Unlock()
}

func (p *pacer) write(s *source, o *outgoing, packet *rtp.Packet) {
	if o.twcc != 0 {
		number := p.twcc[s]
		p.twcc[s]++
		_ = packet.SetExtension(o.twcc, binary.BigEndian.AppendUint16(nil, number))
	}
	n, err := packet.MarshalTo(p.scratch)
	if err != nil {
		return
	}
	sealed, err := s.peer.sealRTP.EncryptRTP(p.sealed[:0], p.scratch[:n], nil)
	if err != nil {
		return
	}
	_ = s.peer.wire.send(sealed)
}
