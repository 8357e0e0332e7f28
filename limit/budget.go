package limit

import (
	"context"
	"net/netip"
	"time"

	"carillon/refusal"
)

// Payer is who pays for a request.
type Payer struct {
	User    string     // empty: who asks has not proved who they are
	Guest   bool       // anyone can become a guest
	Address netip.Addr // as [Address] makes it; invalid: not told apart from other addresses
}

// Share is what one payer, or all of a kind together, may spend. The zero Share is no limit.
type Share struct {
	Key  string // of the configuration; refusals are counted under it
	Rate Rate
}

// Shares are the limits of one budget.
type Shares struct {
	User    Share  // of each user
	Address Share  // of each address, whoever its users are
	All     Share  // of all users together, guests apart
	Guests  Share  // of all guests together: anyone can become many of them
	Refusal string // what a payer who has spent their share is told
}

// Budget is what users and addresses may spend of one thing, such as bytes on disk. What a
// request costs is counted in that thing, whatever the request is.
//
// Guests, and who has not proved who they are, never draw on the share that users have in
// common. A nil Budget is no limit.
type Budget struct {
	// Fixed at construction.
	users     *Keys[string]
	addresses *Keys[netip.Addr]
	all       *Bucket
	guests    *Bucket
	refusal   string

	overUser, overAddress, overAll, overGuests *Count
}

// maxKeys is how many users and how many addresses a budget counts at a time, some 100 bytes
// each.
const maxKeys = 50_000

// NewBudget returns a budget of which nothing is spent.
func NewBudget(s Shares) *Budget {
	return &Budget{
		users:     NewKeys[string](s.User.Rate, maxKeys),
		addresses: NewKeys[netip.Addr](s.Address.Rate, maxKeys),
		all:       New(s.All.Rate),
		guests:    New(s.Guests.Rate),
		refusal:   s.Refusal,
		overUser:  NewCount(s.User.Key), overAddress: NewCount(s.Address.Key),
		overAll: NewCount(s.All.Key), overGuests: NewCount(s.Guests.Key),
	}
}

// Take spends n, or refuses with refusal.RateLimited and spends nothing. As with every bucket
// a payer who has anything left may spend more than that, and is in debt afterwards. An n of
// zero asks whether the payer has anything left.
//
// The narrowest share is asked first, so that one payer's excess takes nothing from others.
func (b *Budget) Take(p Payer, n int, now time.Time) error {
	if b == nil {
		return nil
	}
	if p.User != "" {
		if wait := b.users.Take(p.User, n, now); wait > 0 {
			return b.refuse(b.overUser, wait)
		}
	}
	if p.Address.IsValid() {
		if wait := b.addresses.Take(p.Address, n, now); wait > 0 {
			b.users.Give(p.User, n, now)
			return b.refuse(b.overAddress, wait)
		}
	}
	common, over := b.common(p)
	if common == nil {
		return nil
	}
	if wait := common.Take(n, now); wait > 0 {
		b.users.Give(p.User, n, now)
		b.addresses.Give(p.Address, n, now)
		return b.refuse(over, wait)
	}
	return nil
}

// common is the share that the payer has in common with others; nil: none.
func (b *Budget) common(p Payer) (*Bucket, *Count) {
	switch {
	case p.User == "":
		return nil, nil
	case p.Guest:
		return b.guests, b.overGuests
	}
	return b.all, b.overAll
}

func (b *Budget) refuse(over *Count, wait time.Duration) error {
	over.Add()
	if b.refusal == "" {
		return refusal.Wait(wait)
	}
	return refusal.After(wait, refusal.RateLimited, "%s", b.refusal)
}

// Charge spends n even if that much is not left: for what is known only after it was done.
func (b *Budget) Charge(p Payer, n int, now time.Time) {
	if b == nil || n <= 0 {
		return
	}
	b.users.Charge(p.User, n, now)
	b.addresses.Charge(p.Address, n, now)
	if common, _ := b.common(p); common != nil {
		common.Charge(n, now)
	}
}

// Give gives back n that the payer has taken.
func (b *Budget) Give(p Payer, n int, now time.Time) {
	if b == nil {
		return
	}
	b.users.Give(p.User, n, now)
	b.addresses.Give(p.Address, n, now)
	if common, _ := b.common(p); common != nil {
		common.Give(n, now)
	}
}

// Counts are those of its limits.
func (b *Budget) Counts() []*Count {
	return []*Count{b.overUser, b.overAddress, b.overAll, b.overGuests}
}

// payerKey is the key of the payer in a context.
type payerKey struct{}

// PaidBy says at whose expense what is done with the context is done.
func PaidBy(ctx context.Context, p Payer) context.Context {
	return context.WithValue(ctx, payerKey{}, p)
}

// PayerOf returns who pays for what is done with the context. The zero Payer pays nothing: what
// the server does by itself is bounded elsewhere.
func PayerOf(ctx context.Context) Payer {
	p, _ := ctx.Value(payerKey{}).(Payer)
	return p
}
