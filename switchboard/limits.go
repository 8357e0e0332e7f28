package switchboard

import (
	"slices"
	"time"

	"carillon/call"
	"carillon/limit"
)

// limits bound what users and addresses may ask about calls on this node: starting one rings
// at others, everything else costs the server work.
type limits struct {
	starts, requests *limit.Budget
	pairs            *limit.Budget // rings; its users are pairs of a caller and a callee
	guests           *limit.Budget // calls in which guests ring somebody
	callees          *limit.Budget // rings of all guests; its users are the callees
}

// pairTime is the time in which RingsPerPair counts.
const pairTime = 5 * time.Minute

// guestBurst is the time whose rings of guests may come at once. It is short, because who is
// rung by a flood of them would have them all on the screen.
const guestBurst = 20 * time.Second

// newLimits lets the requests of a minute come at once.
func newLimits(cfg call.Config) limits {
	share := func(key string, n int) limit.Share {
		return limit.Share{Key: "call." + key, Rate: limit.Per(time.Minute, n, time.Minute)}
	}
	ofGuests := func(key string, n int) limit.Share {
		return limit.Share{Key: "call." + key, Rate: limit.Per(time.Minute, n, guestBurst)}
	}
	return limits{
		starts: limit.NewBudget(limit.Shares{
			User:    share("rings_per_minute", cfg.RingsPerMinute),
			Address: share("address_rings_per_minute", cfg.AddressRingsPerMinute),
			Refusal: "You have started many calls. Wait a moment.",
		}),
		requests: limit.NewBudget(limit.Shares{User: share("requests_per_minute", cfg.RequestsPerMinute)}),
		pairs: limit.NewBudget(limit.Shares{
			User:    limit.Share{Key: "call.rings_per_pair", Rate: limit.Per(pairTime, cfg.RingsPerPair, pairTime)},
			Refusal: "You have called them often in a short time. Wait before you call again.",
		}),
		guests: limit.NewBudget(limit.Shares{
			Guest:        ofGuests("guest_rings_per_minute", cfg.GuestRingsPerMinute),
			GuestAddress: ofGuests("guest_address_rings_per_minute", cfg.GuestAddressRingsPerMinute),
			Refusal:      "You, or other guests in your network, have called often in a short time. Wait a moment.",
		}),
		callees: limit.NewBudget(limit.Shares{
			User:    ofGuests("guest_rings_per_callee", cfg.GuestRingsPerCallee),
			Refusal: "Many guests are calling them just now. Wait a moment.",
		}),
	}
}

func (l limits) counts() (all []*limit.Count) {
	for _, b := range []*limit.Budget{l.starts, l.requests, l.pairs, l.guests, l.callees} {
		all = append(all, b.Counts()...)
	}
	return all
}

// rings leaves out those whom the caller, or guests, have rung too often lately. It refuses if
// nobody is left.
func (l limits) rings(caller limit.Payer, callees []string, now time.Time) (rung []string, refused error) {
	if err := l.guests.Take(caller, 1, now); err != nil {
		return nil, err
	}
	for _, callee := range callees {
		if err := l.ring(caller, callee, now); err != nil {
			refused = err
		} else {
			rung = append(rung, callee)
		}
	}
	if len(rung) > 0 {
		return rung, nil
	}
	l.guests.Give(caller, 1, now)
	return nil, refused
}

func (l limits) ring(caller limit.Payer, callee string, now time.Time) error {
	err := l.pairs.Take(pair(caller.User, callee), 1, now)
	if err != nil || !caller.Guest {
		return err
	}
	if err = l.callees.Take(limit.Payer{User: callee}, 1, now); err != nil {
		l.pairs.Give(pair(caller.User, callee), 1, now)
	}
	return err
}

// notRung gives back what rings has taken for a call that was not made.
func (l limits) notRung(caller limit.Payer, callees []string, now time.Time) {
	l.guests.Give(caller, 1, now)
	for _, callee := range callees {
		l.giveRing(caller.User, caller.Guest, callee, now)
	}
}

// answered gives back what the ring of a call has taken: who is answered is welcome.
func (l limits) answered(s call.Snapshot, callee string, now time.Time) {
	guest := slices.ContainsFunc(s.Participants, func(p call.ParticipantView) bool { return p.User == s.Caller && p.Guest })
	l.giveRing(s.Caller, guest, callee, now)
}

func (l limits) giveRing(caller string, guest bool, callee string, now time.Time) {
	l.pairs.Give(pair(caller, callee), 1, now)
	if guest {
		l.callees.Give(limit.Payer{User: callee}, 1, now)
	}
}

// pair is who pays for the rings of a caller at a callee. No id has a control character.
func pair(caller, callee string) limit.Payer { return limit.Payer{User: caller + "\n" + callee} }

// participantsPerRequest is how many participants a request may ring or tell for the price of one.
const participantsPerRequest = 10

// charge takes what a request has cost beyond itself that has changed a call: so many were told.
func (l limits) charge(user string, told int, now time.Time) {
	l.requests.Charge(limit.Payer{User: user}, told/participantsPerRequest, now)
}

// chargeStart takes what a call that rings so many has cost beyond itself.
func (l limits) chargeStart(caller limit.Payer, rung int, now time.Time) {
	l.starts.Charge(caller, rung/participantsPerRequest, now)
}

// MayStart refuses who starts too many calls.
func (b *Board) MayStart(p limit.Payer, now time.Time) error {
	return b.limits.starts.Take(p, 1, now)
}

// MayAsk refuses a user who makes too many other requests about calls.
func (b *Board) MayAsk(user string, now time.Time) error {
	return b.limits.requests.Take(limit.Payer{User: user}, 1, now)
}
