package turn

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// machineAge is how long a new address of this machine may go unnoticed.
const machineAge = 10 * time.Second

// machine knows the addresses of the machine it runs on. The zero value is ready.
type machine struct {
	mu   sync.Mutex
	list []netip.Addr
	read time.Time
}

func (m *machine) has(a netip.Addr) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.read.IsZero() || now.Sub(m.read) > machineAge {
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
