//go:build linux

package turn

import (
	"net/netip"
	"sync"

	"carillon/limit"
)

// connections counts streams per address and in all.
type connections struct {
	limits Limits
	counts *limitCounts

	mu        sync.Mutex
	total     int
	addresses map[netip.Addr]int
}

// take counts one connection more; false if its address or the server has too many.
func (c *connections) take(a netip.Addr) bool {
	a = limit.Address(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !within(!over(c.total, c.limits.Connections), c.counts.connections) ||
		!within(!over(c.addresses[a], c.limits.ConnectionsPerAddress), c.counts.connectionsPerAddress) {
		return false
	}
	c.total++
	c.addresses[a]++
	return true
}

func (c *connections) release(a netip.Addr) {
	a = limit.Address(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.addresses[a]--; c.addresses[a] == 0 {
		delete(c.addresses, a)
	}
}

func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}
