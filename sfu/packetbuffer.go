package sfu

import "sync"

// packetBuffer keeps the newest packets of a layer, for repair. All slots share it.
type packetBuffer struct {
	mu      sync.Mutex
	entries []packet
	newest  uint64
}

func newPacketBuffer(size int) *packetBuffer { return &packetBuffer{entries: make([]packet, size)} }

// put copies p. It returns false for a packet that it holds already (browsers probe the
// bandwidth with repeated packets), and for one older than all it holds.
func (b *packetBuffer) put(p *packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.newest >= p.ext+uint64(len(b.entries)) {
		return false
	}
	e := &b.entries[p.ext%uint64(len(b.entries))]
	if e.ext == p.ext {
		return false
	}
	payload := e.payload[:0]
	*e = *p
	e.payload = append(payload, p.payload...)
	b.newest = max(b.newest, p.ext)
	return true
}

// holds returns whether the buffer has all packets from first to last.
func (b *packetBuffer) holds(first, last uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ext := first; ext <= last; ext++ {
		if b.entries[ext%uint64(len(b.entries))].ext != ext {
			return false
		}
	}
	return true
}

// get copies the packet with this number into p, whose payload memory is reused. It
// returns false when the packet is not in the buffer any more, or never was.
func (b *packetBuffer) get(ext uint64, p *packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.entries[ext%uint64(len(b.entries))]
	if e.ext != ext || ext == 0 {
		return false
	}
	payload := p.payload[:0]
	*p = *e
	p.payload = append(payload, e.payload...)
	return true
}
