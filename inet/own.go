package inet

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// addressesAge is how long a new address of this machine may go unnoticed.
const addressesAge = 10 * time.Second

// Own are the addresses of the machine that the server runs on. The zero value is
// ready to use.
type Own struct {
	mu   sync.Mutex
	list []netip.Addr
	read time.Time
}

// Has reports whether a is one of them.
func (m *Own) Has(a netip.Addr) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.read.IsZero() || now.Sub(m.read) > addressesAge {
		m.list, m.read = Interfaces(), now
	}
	return slices.Contains(m.list, a)
}

// Interfaces are the addresses of this machine, as the system tells them now.
func Interfaces() []netip.Addr {
	var list []netip.Addr
	found, _ := net.InterfaceAddrs() // without them only the addresses we listen on are known to be ours
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list
}
