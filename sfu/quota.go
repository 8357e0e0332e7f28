package sfu

import (
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// Quota is the table [media.quota]: how many peers there may be and what they may ask for, of
// one user and of the users of one client address (IPv6: one /64). Its guests may have as much
// again. A negative number means no limit.
type Quota struct {
	// Peers is how many there may be of users, and as many again of guests.
	Peers int `toml:"peers"`
	// UserPeers is how many one user may have, in all rooms: one for each leg, and for each session of WHIP or WHEP.
	UserPeers int `toml:"user_peers"`
	// AddressPeers is how many one address may have.
	AddressPeers int `toml:"address_peers"`
	// UserConnecting is how many of a user's peers may not be connected yet.
	UserConnecting int `toml:"user_connecting"`
	// AddressConnecting is how many of an address's peers may not be connected yet.
	AddressConnecting int `toml:"address_connecting"`
	// UserSlots is how many slots the peers of one user may have together.
	UserSlots int `toml:"user_slots"`
	// AddressSlots is how many slots the peers of one address may have together.
	AddressSlots int `toml:"address_slots"`
	// UserLines is how many lines the offers of one user may have in a minute; an offer counts as one more.
	UserLines int `toml:"user_lines"`
	// AddressLines is how many lines the offers of one address may have in a minute.
	AddressLines int `toml:"address_lines"`
}

// quotas are what users and addresses have of an SFU.
type quotas struct {
	peers      *limit.Quota
	connecting *limit.Quota // peers that are not connected yet
	slots      *limit.Quota
	lines      *limit.Budget // of offers
}

func newQuotas(cfg Quota) *quotas {
	share := func(key string, n int) limit.Share {
		return limit.Share{Key: "media.quota." + key, Rate: limit.Per(time.Minute, n, time.Minute)}
	}
	most := func(key string, n int) limit.Cap { return limit.Cap{Key: "media.quota." + key, N: n} }
	return &quotas{
		peers: limit.NewQuota(limit.Caps{
			User: most("user_peers", cfg.UserPeers), Address: most("address_peers", cfg.AddressPeers),
			All: most("peers", cfg.Peers), Guests: most("peers", cfg.Peers),
			Refusal: refusal.New(refusal.TooManyPeers, "You have too many calls and streams open. End some, then try again."),
		}),
		connecting: limit.NewQuota(limit.Caps{
			User: most("user_connecting", cfg.UserConnecting), Address: most("address_connecting", cfg.AddressConnecting),
			Refusal: refusal.After(time.Second, refusal.RateLimited, "Too many of your calls and streams are being connected. Wait a moment."),
		}),
		slots: limit.NewQuota(limit.Caps{
			User: most("user_slots", cfg.UserSlots), Address: most("address_slots", cfg.AddressSlots),
			Refusal: refusal.New(refusal.TooManyPeers, "Your calls and streams ask for too many slots together. End some, then try again."),
		}),
		lines: limit.NewBudget(limit.Shares{User: share("user_lines", cfg.UserLines), Address: share("address_lines", cfg.AddressLines)}),
	}
}

func (q *quotas) counts() (all []*limit.Count) {
	for _, of := range [][]*limit.Count{q.peers.Counts(), q.connecting.Counts(), q.slots.Counts(), q.lines.Counts()} {
		all = append(all, of...)
	}
	return all
}

// takePeer counts a peer that begins to connect. Who may not offer gets none.
func (q *quotas) takePeer(p limit.Payer) error {
	if err := q.lines.Take(p, 0, time.Now()); err != nil {
		return err
	}
	if err := q.peers.Take(p, 1); err != nil {
		return err
	}
	if err := q.connecting.Take(p, 1); err != nil {
		q.peers.Give(p, 1)
		return err
	}
	return nil
}

// holding is what one peer has of the quotas, beside its own place.
type holding struct {
	connected bool // it is not among those that connect any more
	slots     int
}

// takeSlots takes what the slots of an offer are more than those of the offers before.
func (q *quotas) takeSlots(p limit.Payer, h *holding, n int) error {
	if n <= h.slots {
		return nil
	}
	if err := q.slots.Take(p, n-h.slots); err != nil {
		return err
	}
	h.slots = n
	return nil
}

// giveConnecting gives back what a peer has only until it is connected.
func (q *quotas) giveConnecting(p limit.Payer, h *holding) {
	if !h.connected {
		h.connected = true
		q.connecting.Give(p, 1)
	}
}

// giveAll gives back what a peer has. It is called once.
func (q *quotas) giveAll(p limit.Payer, h *holding) {
	q.giveConnecting(p, h)
	q.slots.Give(p, h.slots)
	q.peers.Give(p, 1)
}
