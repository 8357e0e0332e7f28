package turn

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// addressesAge is how long a new address of this machine may go unnoticed.
const addressesAge = 10 * time.Second

// ownAddresses are the addresses of the machine that the server runs on. The zero value is
// ready to use.
type ownAddresses struct {
	mu   sync.Mutex
	list []netip.Addr
	read time.Time
}

func (m *ownAddresses) has(a netip.Addr) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.read.IsZero() || now.Sub(m.read) > addressesAge {
		m.list, m.read = interfaceAddresses(), now
	}
	return slices.Contains(m.list, a)
}

func interfaceAddresses() []netip.Addr {
	var list []netip.Addr
	found, _ := net.InterfaceAddrs() // without them only the addresses we listen on are known to be ours
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}
