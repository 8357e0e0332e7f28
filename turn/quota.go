package turn

import (
	"net/netip"
	"sync"
	"time"

	"carillon/limit"
	"carillon/tcp"
)

// quotas counts relays per user, per address and in all.
type quotas struct {
	cfg    Quota
	counts *limitCounts

	// How fast relays may be opened, so that nobody opens and ends them without end.
	userOpens    *limit.Keys[string]
	addressOpens *limit.Keys[netip.Addr]

	mu        sync.Mutex
	users     map[string]*user
	addresses map[netip.Addr]int
	total     int
}

// user is a user with relays.
type user struct {
	name      string
	bandwidth limit.Bucket

	// Owned by quotas.
	relays int
}

func newQuotas(cfg Quota, counts *limitCounts) *quotas {
	if most := tcp.Descriptors() / 2; cfg.Total < 0 || cfg.Total > most {
		cfg.Total = most
	}
	return &quotas{
		cfg: cfg, counts: counts, users: make(map[string]*user), addresses: make(map[netip.Addr]int),
		userOpens:    limit.NewKeys[string](opens(cfg.PerUser), maxOpening),
		addressOpens: limit.NewKeys[netip.Addr](opens(cfg.PerAddress), maxOpening),
	}
}

// maxOpening is how many users, and how many addresses, are told apart by how fast they open
// relays, some 100 bytes each.
const maxOpening = 50_000

// opens is how fast relays may be opened by who may have so many at a time: each of them four
// times a minute, which somebody with a bad network does, and at least one a second.
func opens(most int) limit.Rate {
	if most < 0 {
		return limit.Rate{}
	}
	return limit.Per(time.Minute, max(60, 4*most), time.Minute)
}

// share is what one relay takes of the quotas, until release.
type share struct {
	user    *user
	address netip.Addr
}

// take counts one relay more. The code is the STUN error with which it is refused; zero: it is
// counted.
func (q *quotas) take(name string, client netip.Addr, now time.Time) (share, int) {
	client = limit.Address(client)
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.users[name]
	switch {
	case !within(!over(q.total, q.cfg.Total), q.counts.total):
		return share{}, 508
	case !within(u == nil || !over(u.relays, q.cfg.PerUser), q.counts.perUser):
		return share{}, 486
	case !within(!over(q.addresses[client], q.cfg.PerAddress), q.counts.perAddress):
		return share{}, 486
	case !within(q.userOpens.Take(name, 1, now) == 0, q.counts.perUser):
		return share{}, 486
	case !within(q.addressOpens.Take(client, 1, now) == 0, q.counts.perAddress):
		return share{}, 486
	}
	if u == nil {
		u = &user{name: name}
		u.bandwidth.Limit(bandwidth(q.cfg.UserKbps))
		q.users[name] = u
	}
	u.relays++
	q.addresses[client]++
	q.total++
	return share{u, client}, 0
}

func over(count, most int) bool { return most >= 0 && count >= most }

func (q *quotas) release(s share) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.total--
	if s.user.relays--; s.user.relays == 0 {
		delete(q.users, s.user.name)
	}
	if q.addresses[s.address]--; q.addresses[s.address] == 0 {
		delete(q.addresses, s.address)
	}
}
