package sfu

import "sync"

// ring keeps the newest packets of a layer, for repair, shared by all its slots.
type ring struct {
	mu      sync.Mutex
	entries []packet
	newest  uint64
}

func newRing(size int) *ring { return &ring{entries: make([]packet, size)} }

// put copies p. It says no to a packet that it holds already (browsers probe the
// bandwidth with repeated packets), and to one older than all it holds.
func (r *ring) put(p *packet) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.newest >= p.ext+uint64(len(r.entries)) {
		return false
	}
	e := &r.entries[p.ext%uint64(len(r.entries))]
	if e.ext == p.ext {
		return false
	}
	buffer := e.payload[:0]
	*e = *p
	e.payload = append(buffer, p.payload...)
	r.newest = max(r.newest, p.ext)
	return true
}

// get copies the packet with this number into p, whose payload buffer is reused.
func (r *ring) get(ext uint64, p *packet) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &r.entries[ext%uint64(len(r.entries))]
	if e.ext != ext || ext == 0 {
		return false
	}
	buffer := p.payload[:0]
	*p = *e
	p.payload = append(buffer, e.payload...)
	return true
}
