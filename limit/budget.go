package limit

import (
	"cmp"
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

// Shares are the limits of one budget. Anyone can become many guests, so they share nothing with
// users, not even with those of their own address. For one payer to leave something to the
// others, a share of many is several times that of one.
type Shares struct {
	User    Share // of each user
	Address Share // of all users of each address together
	All     Share // of all users together

	Guest        Share // of each guest; the zero Share: as much as a user
	GuestAddress Share // of all guests of each address together; the zero Share: as much as its users
	Guests       Share // of all guests together

	Refusal string // what a payer who has spent their share is told
}

// Budget is what users and addresses may spend of one thing, such as bytes on disk. What a
// request costs is counted in that thing, whatever the request is.
//
// Guests never draw on a share of users. Who has not proved who they are draws on that of the users of
// their address only. A nil Budget is no limit.
type Budget struct {
	// Fixed at construction.
	users, guests *buckets
	refusal       string
}

// buckets are those of users, or of guests.
type buckets struct {
	// Fixed at construction.
	payers    *Keys[string]
	addresses *Keys[netip.Addr]
	all       *Bucket

	overPayer, overAddress, overAll *Count
}

func newBuckets(payer, address, all Share) *buckets {
	return &buckets{
		payers: NewKeys[string](payer.Rate, maxKeys), addresses: NewKeys[netip.Addr](address.Rate, maxKeys), all: New(all.Rate),
		overPayer: NewCount(payer.Key), overAddress: NewCount(address.Key), overAll: NewCount(all.Key),
	}
}

// maxKeys is how many payers and how many addresses are counted at a time, some 100 bytes
// each.
const maxKeys = 50_000

// NewBudget returns a budget of which nothing is spent.
func NewBudget(s Shares) *Budget {
	return &Budget{
		users:   newBuckets(s.User, s.Address, s.All),
		guests:  newBuckets(cmp.Or(s.Guest, s.User), cmp.Or(s.GuestAddress, s.Address), s.Guests),
		refusal: s.Refusal,
	}
}

func (b *Budget) of(p Payer) *buckets {
	if p.Guest {
		return b.guests
	}
	return b.users
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
	over, wait := b.of(p).take(p, n, now)
	if wait == 0 {
		return nil
	}
	over.Add()
	if b.refusal == "" {
		return refusal.Wait(wait)
	}
	return refusal.After(wait, refusal.RateLimited, "%s", b.refusal)
}

// take spends n, or nothing if over has not as much left; wait is how long that takes.
func (k *buckets) take(p Payer, n int, now time.Time) (over *Count, wait time.Duration) {
	if p.User != "" {
		if wait = k.payers.Take(p.User, n, now); wait > 0 {
			return k.overPayer, wait
		}
	}
	if p.Address.IsValid() {
		if wait = k.addresses.Take(p.Address, n, now); wait > 0 {
			k.payers.Give(p.User, n, now)
			return k.overAddress, wait
		}
	}
	if p.User == "" {
		return nil, 0
	}
	if wait = k.all.Take(n, now); wait > 0 {
		k.payers.Give(p.User, n, now)
		k.addresses.Give(p.Address, n, now)
	}
	return k.overAll, wait
}

// Charge spends n even if that much is not left: for what is known only after it was done.
func (b *Budget) Charge(p Payer, n int, now time.Time) {
	if b == nil || n <= 0 {
		return
	}
	k := b.of(p)
	k.payers.Charge(p.User, n, now)
	k.addresses.Charge(p.Address, n, now)
	if p.User != "" {
		k.all.Charge(n, now)
	}
}

// Give gives back n that the payer has taken.
func (b *Budget) Give(p Payer, n int, now time.Time) {
	if b == nil {
		return
	}
	k := b.of(p)
	k.payers.Give(p.User, n, now)
	k.addresses.Give(p.Address, n, now)
	if p.User != "" {
		k.all.Give(n, now)
	}
}

// Counts are those of its limits.
func (b *Budget) Counts() (all []*Count) {
	for _, k := range []*buckets{b.users, b.guests} {
		all = append(all, k.overPayer, k.overAddress, k.overAll)
	}
	return all
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
