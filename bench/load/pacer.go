package load

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
)

// pacer sends the packets of all publishers on schedule, whatever the server does (an open
// loop). A packet whose time has passed is sent late and counted as late, never skipped.
type pacer struct {
	publications atomic.Pointer[[]*publication] // replaced, never edited
	running      atomic.Bool                    // else the schedule is paused
	keepAlive    atomic.Bool                    // a frame a second goes out in a pause too
	wake         chan struct{}
	done         chan struct{}
	wg           sync.WaitGroup

	// Owned by loop.
	twccNumbers map[*publication]uint16
	scratch     []byte
	encrypted   []byte

	mu   sync.Mutex
	late Histogram // how long after its time each packet left
	sent uint64
}

func newPacer() *pacer {
	p := &pacer{wake: make(chan struct{}, 1), done: make(chan struct{}), twccNumbers: map[*publication]uint16{}, scratch: make([]byte, 2048), encrypted: make([]byte, 0, 2048)}
	p.publications.Store(new([]*publication))
	return p
}

// add may be called by several goroutines.
func (p *pacer) add(s *publication) {
	for {
		old := p.publications.Load()
		next := append(slices.Clone(*old), s)
		if p.publications.CompareAndSwap(old, &next) {
			return
		}
	}
}

func (p *pacer) start() { p.wg.Go(p.loop) }

// run resumes the schedule at the present moment.
func (p *pacer) run() {
	p.running.Store(true)
	select {
	case p.wake <- struct{}{}:
	default: // it is about to look
	}
}

// pause stops the schedule.
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
			if p.keepAlive.Load() {
				due = time.After(keepAliveInterval)
			}
			select {
			case <-p.wake:
				p.resume(time.Now())
			case now := <-due:
				p.sendKeepAlive(now)
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
		for _, s := range *p.publications.Load() {
			p.sendDue(s, now)
			if t := s.next(); t.Before(next) {
				next = t
			}
		}
		clock.until(next)
	}
}

const keepAliveInterval = time.Second

// sendKeepAlive sends one packet of sound and one frame of each publication.
func (p *pacer) sendKeepAlive(now time.Time) {
	for _, s := range *p.publications.Load() {
		if s.audio.started {
			p.send(s, s.audio, s.newSound(now), now)
		}
		for _, o := range s.video {
			if !o.started {
				continue
			}
			for _, packet := range s.newFrame(o, now) {
				p.send(s, o, packet, now)
			}
		}
	}
}

func (p *pacer) resume(now time.Time) {
	all := *p.publications.Load()
	for i, s := range all {
		at := now.Add(s.offset(i, len(all)))
		s.nextFrame, s.nextAudio, s.scheduled = at, at, nil
		for _, o := range s.video {
			o.keyFrameWanted.Store(true) // whoever watches may have lost the picture in the pause
		}
	}
}

// next is when the publication has its next packet to send.
func (s *publication) next() time.Time {
	next := s.nextAudio
	if len(s.video) > 0 && s.nextFrame.Before(next) {
		next = s.nextFrame
	}
	if len(s.scheduled) > 0 && s.scheduled[0].due.Before(next) {
		next = s.scheduled[0].due
	}
	return next
}

func (p *pacer) sendDue(s *publication, now time.Time) {
	for !s.nextAudio.After(now) {
		if speaks, resumes := s.talks(s.nextAudio); speaks && s.audio.started {
			packet := s.newSound(s.nextAudio)
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
			packets := s.newFrame(o, s.nextFrame)
			for i, packet := range packets {
				if s.media.Pacing == Burst {
					p.send(s, o, packet, s.nextFrame)
					continue
				}
				s.scheduled = append(s.scheduled, scheduledPacket{s.nextFrame.Add(interval * time.Duration(i) / time.Duration(len(packets))), o, packet})
			}
		}
		s.nextFrame = s.nextFrame.Add(interval)
		slices.SortStableFunc(s.scheduled, func(a, b scheduledPacket) int { return a.due.Compare(b.due) })
	}
	for len(s.scheduled) > 0 && !s.scheduled[0].due.After(now) {
		e := s.scheduled[0]
		s.scheduled = s.scheduled[1:]
		p.send(s, e.out, e.packet, e.due)
	}
	p.retransmit(s)
	if !s.nextReport.After(now) {
		if b := s.senderReport(now); b != nil {
			s.peer.sendRTCP(b)
		}
		s.nextReport = now.Add(time.Second)
	}
}

func (p *pacer) retransmit(s *publication) {
	for {
		select {
		case n := <-s.nacks:
			packets, outs := s.retransmissions(n)
			for i, packet := range packets {
				p.write(s, outs[i], packet)
			}
		default:
			return
		}
	}
}

// send writes the present time into the packet, keeps it for retransmission, and sends it.
func (p *pacer) send(s *publication, o *sentStream, packet *rtp.Packet, due time.Time) {
	now := time.Now()
	writeStamp(packet.Payload, now.UnixNano())
	o.history[packet.SequenceNumber%uint16(len(o.history))] = sentPacket{packet.SequenceNumber, packet}
	o.packets++
	o.octets += uint32(len(packet.Payload))
	p.write(s, o, packet)
	s.sent.Add(1)
	p.mu.Lock()
	p.late.Add(int64(now.Sub(due)))
	p.sent++
	p.mu.Unlock()
}

func (p *pacer) write(s *publication, o *sentStream, packet *rtp.Packet) {
	if o.twcc != 0 {
		number := p.twccNumbers[s]
		p.twccNumbers[s]++
		_ = packet.SetExtension(o.twcc, binary.BigEndian.AppendUint16(nil, number))
	}
	n, err := packet.MarshalTo(p.scratch)
	if err != nil {
		return
	}
	encrypted, err := s.peer.encryptRTP.EncryptRTP(p.encrypted[:0], p.scratch[:n], nil)
	if err != nil {
		return
	}
	s.peer.transport.send(encrypted)
}
