package limit

import (
	"net/netip"
	"testing"

	"carillon/refusal"
)

func TestAQuotaCountsUsersAddressesAndAll(t *testing.T) {
	full := refusal.New(refusal.NotAllowed, "You have too many.")
	at := netip.MustParseAddr
	alice := Payer{User: "alice", Address: at("192.0.2.1")}
	bob := Payer{User: "bob", Address: at("192.0.2.1")}
	carol := Payer{User: "carol", Address: at("192.0.2.2")}
	guest := Payer{User: "guest:1", Guest: true, Address: at("192.0.2.3")}
	q := NewQuota(Caps{User: Cap{N: 3}, Address: Cap{N: 4}, All: Cap{N: 6}, Guests: Cap{N: 2}, Refusal: full})
	for i, step := range []struct {
		who  Payer
		n    int // to take; negative: to give back
		want refusal.Code
	}{
		{alice, 3, ""},
		{alice, 1, refusal.NotAllowed}, // her own limit
		{bob, 2, refusal.NotAllowed},   // that of the address, and nothing was taken
		{bob, 1, ""},
		{carol, 3, refusal.Busy}, // all users
		{guest, 2, ""},           // share nothing with users
		{guest, 1, refusal.Busy},
		{carol, 2, ""},
		{alice, -3, ""},
		{bob, 2, ""},
		{alice, 1, ""},
	} {
		if step.n < 0 {
			q.Give(step.who, -step.n)
			continue
		}
		err := q.Take(step.who, step.n)
		if got, _ := refusal.Of(err); err == nil && step.want != "" || err != nil && got.Code != step.want {
			t.Errorf("step %d, %s takes %d: got %v, want %q", i, step.who.User, step.n, err, step.want)
		}
	}
	if got := q.Taken(); got != 8 {
		t.Errorf("%d are taken, want 8", got)
	}
	for _, give := range []struct {
		who Payer
		n   int
	}{{alice, 1}, {bob, 3}, {carol, 2}, {guest, 2}} {
		q.Give(give.who, give.n)
	}
	for _, h := range []holders{q.users, q.guests} {
		if h.all != 0 || len(h.each) != 0 || len(h.addresses) != 0 {
			t.Errorf("%+v when all was given back", h)
		}
	}
	if q.Taken() != 0 {
		t.Errorf("%d are taken when all was given back", q.Taken())
	}
}

func TestAQuotaWithoutCapsIsNoLimit(t *testing.T) {
	q := NewQuota(Caps{User: Cap{N: -1}})
	if err := q.Take(Payer{User: "alice"}, 1_000_000); err != nil {
		t.Error(err)
	}
}

// Guests take nothing from the users of their own address, and the other way round.
func TestGuestsHaveAQuotaOfTheirAddressOfTheirOwn(t *testing.T) {
	at := netip.MustParseAddr("192.0.2.1")
	q := NewQuota(Caps{Address: Cap{N: 2}, Refusal: refusal.New(refusal.NotAllowed, "Too many.")})
	alice, guest := Payer{User: "alice", Address: at}, Payer{User: "guest:1", Guest: true, Address: at}
	for _, p := range []Payer{guest, alice} {
		if err := q.Take(p, 2); err != nil {
			t.Errorf("%s: %v", p.User, err)
		}
		if q.Take(p, 1) == nil {
			t.Errorf("%s has more than the address may", p.User)
		}
	}
}
