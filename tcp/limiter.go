// Package tcp accepts connections from anyone, so that nothing a stranger does with them
// ends the accepting.
//
// A [Limiter] bounds how many connections there are, in all and per address. A connection
// is silent until its owner calls [Conn.Spoke]: nobody knows yet what it is for, and whoever
// holds it has shown nothing. When a limit is reached, or the process has no descriptor left,
// a silent connection is closed to make room for the new one: the oldest of the address in
// question, or of the address that has most of them. Only when there is none is the new one
// closed. So strangers who connect and say nothing, however many, shut out nobody who
// speaks at once.
package tcp

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"carillon/limit"
	"carillon/settings"
)

// Limiter bounds the connections of its listeners, together.
type Limiter struct {
	// Fixed at construction.
	cfg    Config
	exempt func(netip.Addr) bool
	log    *slog.Logger
	scarce bool // descriptors bound the connections, and not the configuration

	// How often each limit closed a connection, be it the new one or a silent one.
	connections, perAddress, silents, silentsPerAddress *limit.Count

	failures atomic.Uint64 // to accept
	logged   limit.Bucket  // those that are logged

	mu        sync.Mutex
	total     int
	silent    int
	addresses map[netip.Addr]*address
	bySilent  [ranks]list.List // of *address: those with so many silent connections, the last also those with more
}

// ranks is how exactly the addresses are told apart by their number of silent connections.
const ranks = 512

// address is a client address with connections.
type address struct {
	total  int
	silent list.List // of *Conn, the oldest first

	rank int           // where it stands in Limiter.bySilent
	at   *list.Element // nil: it has no silent connection
}

// NewLimiter makes a Limiter. Key is that of cfg in the configuration, such as http.tcp.
// Addresses for which exempt is true, such as those of proxies through which all clients
// come, have no limit of their own; nil: there are none.
func NewLimiter(cfg Config, key string, exempt func(netip.Addr) bool, log *slog.Logger) *Limiter {
	if exempt == nil {
		exempt = func(netip.Addr) bool { return false }
	}
	count := func(of string) *limit.Count { return limit.NewCount(key + "." + of) }
	l := &Limiter{
		cfg: cfg.within(Descriptors()), exempt: exempt, log: log, addresses: make(map[netip.Addr]*address),
		connections: count("connections"), perAddress: count("connections_per_address"),
		silents: count("silent"), silentsPerAddress: count("silent_per_address"),
	}
	l.scarce = l.cfg.Connections != settings.Fill(cfg, Defaults()).Connections
	l.logged.Limit(limit.Per(time.Minute, 1, 0))
	return l
}

// Connections returns how many connections are open, and how many of them are silent.
func (l *Limiter) Connections() (open, silent int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total, l.silent
}

// admit counts a connection that was just accepted, which takes the place of another if
// need be. Nil: it is one too many, and closed.
func (l *Limiter) admit(conn net.Conn, from *Listener) *Conn {
	c, evicted := l.tryAdmit(conn, from)
	if evicted != nil {
		evicted.Close()
	}
	if c == nil {
		conn.Close()
		if l.scarce {
			l.logScarcity(errScarce)
		}
	}
	return c
}

// tryAdmit returns the connection as it counts now; nil: it is one too many. Evicted does not
// count any more because it makes room.
func (l *Limiter) tryAdmit(conn net.Conn, from *Listener) (admitted, evicted *Conn) {
	client := clientOf(conn)
	key := limit.Address(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.addresses[key]
	if a == nil {
		a = &address{}
	}
	if reached, makesRoom := l.reachedLocked(a, l.exempt(client)); reached != nil {
		reached.Add()
		if evicted = makesRoom(); evicted == nil {
			return nil, nil
		}
		l.forgetLocked(evicted)
	}
	c := &Conn{Conn: conn, limiter: l, listener: from, key: key, address: a}
	l.addresses[key] = a // perhaps again: the one that made room may have been its last
	a.total++
	l.total++
	l.silent++
	c.silent = a.silent.PushBack(c)
	l.rankLocked(a)
	return c, evicted
}

// reachedLocked returns the limit that another connection of an address would exceed, and
// what finds one that makes room for it. Nil: there is none.
func (l *Limiter) reachedLocked(a *address, exempt bool) (reached *limit.Count, makesRoom func() *Conn) {
	switch {
	case !exempt && over(a.silent.Len(), l.cfg.SilentPerAddress):
		return l.silentsPerAddress, a.oldestSilent
	case !exempt && over(a.total, l.cfg.ConnectionsPerAddress):
		return l.perAddress, a.oldestSilent
	case over(l.silent, l.cfg.Silent):
		return l.silents, l.oldestSilentLocked
	case over(l.total, l.cfg.Connections):
		return l.connections, l.oldestSilentLocked
	}
	return nil, nil
}

// makeRoom closes a silent connection. It returns false if there is none.
func (l *Limiter) makeRoom() bool {
	l.mu.Lock()
	evicted := l.oldestSilentLocked()
	l.mu.Unlock()
	if evicted == nil {
		return false
	}
	evicted.Close()
	return true
}

// oldestSilentLocked returns the oldest silent connection of the address that has most of
// them; nil: there is none.
func (l *Limiter) oldestSilentLocked() *Conn {
	for n := ranks - 1; n > 0; n-- {
		if first := l.bySilent[n].Front(); first != nil {
			return first.Value.(*address).oldestSilent()
		}
	}
	return nil
}

func (a *address) oldestSilent() *Conn {
	if first := a.silent.Front(); first != nil {
		return first.Value.(*Conn)
	}
	return nil
}

// rankLocked moves an address to where it belongs by its number of silent connections.
func (l *Limiter) rankLocked(a *address) {
	rank := min(a.silent.Len(), ranks-1)
	if rank == a.rank {
		return
	}
	if a.at != nil {
		l.bySilent[a.rank].Remove(a.at)
		a.at = nil
	}
	if a.rank = rank; rank > 0 {
		a.at = l.bySilent[rank].PushBack(a)
	}
}

// forgetLocked stops to count a connection.
func (l *Limiter) forgetLocked(c *Conn) {
	if c.forgotten {
		return
	}
	c.forgotten = true
	l.spokeLocked(c)
	l.total--
	if c.address.total--; c.address.total == 0 {
		delete(l.addresses, c.key)
	}
}

func (l *Limiter) spokeLocked(c *Conn) {
	if c.silent != nil {
		c.address.silent.Remove(c.silent)
		c.silent = nil
		l.silent--
		l.rankLocked(c.address)
	}
}

// failed counts a failure to accept, and logs it now and then.
func (l *Limiter) failed(err error) {
	l.failures.Add(1)
	l.logScarcity(err)
}

// errScarce is what is logged when connections are refused before the last descriptor is taken.
var errScarce = errors.New("as many connections are open as file descriptors allow")

// logScarcity logs, once a minute, that somebody could not be accepted, and what to do about it.
func (l *Limiter) logScarcity(err error) {
	if l.logged.Take(1, time.Now()) > 0 {
		return
	}
	attrs := []any{"err", err}
	if errors.Is(err, errScarce) || errors.Is(err, syscall.EMFILE) {
		attrs = append(attrs, "descriptors", Descriptors(), "raise", "LimitNOFILE= of systemd, ulimit -n, or ulimits of the container")
	}
	l.log.Warn("no connection can be accepted", attrs...)
}

func over(count, most int) bool { return most >= 0 && count >= most }

// clientOf is the address of the other end, without a port; invalid if it has none.
func clientOf(conn net.Conn) netip.Addr {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr()
	}
	return netip.Addr{}
}
