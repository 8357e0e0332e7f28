package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"carillon/chat"
	"carillon/limit"
	"carillon/limit/limittest"
	"carillon/refusal"
)

// at makes a context at the expense of a user at an address.
func at(t testing.TB, user chat.User, address string) context.Context {
	t.Helper()
	return limit.PaidBy(t.Context(), limit.Payer{User: user.ID, Guest: user.Guest, Address: netip.MustParseAddr(address)})
}

const home, office = "203.0.113.1", "203.0.113.2"

// crowd is n ids.
func crowd(prefix string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprint(prefix, i))
	}
	return ids
}

// until repeats f until it is refused as rate_limited, and returns how often it was done.
func until(t *testing.T, f func(i int) error) int {
	t.Helper()
	for i := range 1000 {
		switch err := f(i); {
		case refusal.Is(err, refusal.RateLimited):
			if refused, _ := refusal.Of(err); refused.Retry <= 0 {
				t.Errorf("it is not said when to try again: %v", refused)
			}
			return i
		case err != nil:
			t.Fatal(err)
		}
	}
	t.Fatal("never refused")
	return 0
}

// Each limit of [chat.rates] refuses who is over it, nobody else, and counts that.
func TestWhatIsStoredHasABudget(t *testing.T) {
	sends := func(s *chat.Service, u chat.User, address string) func(int) error {
		return func(i int) error {
			_, _, err := s.Send(at(t, u, address), u, chat.SendParams{To: "carol", ClientID: fmt.Sprint(i), Text: strings.Repeat("x", 1000)})
			return err
		}
	}
	groups := func(s *chat.Service, u chat.User, address string, n int) func(int) error {
		return func(i int) error {
			_, err := s.Create(at(t, u, address), u, chat.CreateParams{Kind: chat.Group, Members: crowd(fmt.Sprint(i, "-"), n)})
			return err
		}
	}
	for key, test := range map[string]struct {
		rates chat.Rates
		over  func(s *chat.Service) func(int) error
		other func(s *chat.Service) func(int) error // who is refused nothing
	}{
		"user_bytes": {chat.Rates{UserBytes: 100},
			func(s *chat.Service) func(int) error { return sends(s, alice, home) },
			func(s *chat.Service) func(int) error { return sends(s, bob, home) }},
		"address_bytes": {chat.Rates{AddressBytes: 100},
			func(s *chat.Service) func(int) error { return sends(s, alice, home) },
			func(s *chat.Service) func(int) error { return sends(s, alice, office) }},
		"one_guest_bytes": {chat.Rates{OneGuestBytes: 100},
			func(s *chat.Service) func(int) error { return sends(s, guest, home) },
			func(s *chat.Service) func(int) error { return sends(s, bob, home) }},
		"guest_address_bytes": {chat.Rates{GuestAddressBytes: 100},
			func(s *chat.Service) func(int) error { return sends(s, guest, home) },
			func(s *chat.Service) func(int) error { return sends(s, guest, office) }},
		"guest_bytes": {chat.Rates{GuestBytes: 100},
			func(s *chat.Service) func(int) error { return sends(s, guest, home) },
			func(s *chat.Service) func(int) error { return sends(s, bob, home) }},
		"user_groups": {chat.Rates{UserGroups: 3},
			func(s *chat.Service) func(int) error { return groups(s, alice, home, 2) },
			func(s *chat.Service) func(int) error { return groups(s, bob, home, 2) }},
		"address_groups": {chat.Rates{AddressGroups: 3},
			func(s *chat.Service) func(int) error { return groups(s, alice, home, 2) },
			func(s *chat.Service) func(int) error { return groups(s, bob, office, 2) }},
		"user_members": {chat.Rates{UserMembers: 30},
			func(s *chat.Service) func(int) error { return groups(s, alice, home, 10) },
			func(s *chat.Service) func(int) error { return sends(s, bob, home) }},
		"address_members": {chat.Rates{AddressMembers: 30},
			func(s *chat.Service) func(int) error { return groups(s, alice, home, 10) },
			func(s *chat.Service) func(int) error { return sends(s, bob, office) }},
	} {
		t.Run(key, func(t *testing.T) {
			s := service(t, chat.Config{Rates: test.rates})
			over := test.over(s)
			if done := until(t, over); done == 0 {
				t.Error("nothing was let through")
			}
			for limit, got := range limittest.RefusedBy(t, s.Counts()...) {
				want := 0
				if limit == "chat.rates."+key {
					want = 1
				}
				if got != want {
					t.Errorf("%s is counted %d times, want %d", limit, got, want)
				}
			}
			if err := test.other(s)(0); err != nil {
				t.Errorf("somebody else is refused too: %v", err)
			}
		})
	}
}

// By default one guest leaves something to the other guests of their address, all of an address
// together to those of other addresses, and none of them takes anything from users.
func TestALoudGuestLeavesOthersWhatTheyMayWrite(t *testing.T) {
	rates := chat.Defaults().Rates
	for _, bytes := range []*int{&rates.UserBytes, &rates.AddressBytes, &rates.OneGuestBytes, &rates.GuestAddressBytes, &rates.GuestBytes} {
		*bytes /= 100 // the same shares of a smaller disk
	}
	s := service(t, chat.Config{Rates: rates})
	sent := 0
	says := func(u chat.User, address string) error {
		sent++
		_, _, err := s.Send(at(t, u, address), u, chat.SendParams{To: "carol", ClientID: fmt.Sprint(sent), Text: strings.Repeat("x", 10_000)})
		return err
	}
	visitor := func(i int) chat.User { return chat.User{ID: fmt.Sprint("guest:", i), Guest: true} }
	loud := visitor(0)
	until(t, func(int) error { return says(loud, home) })
	if err := says(loud, office); !refusal.Is(err, refusal.RateLimited) {
		t.Errorf("the loud guest at another address: got %v", err)
	}
	if err := says(visitor(1), home); err != nil {
		t.Errorf("another guest of the address: %v", err)
	}
	until(t, func(i int) error { return says(visitor(2+i), home) }) // one person, as many guests
	if err := says(visitor(1), office); err != nil {
		t.Errorf("a guest of another address: %v", err)
	}
	if err := says(alice, home); err != nil {
		t.Errorf("a user of the address: %v", err)
	}
}

// All that a user may have written draws on the same budget, and what is refused is not kept.
func TestEveryWriteIsPaidFor(t *testing.T) {
	for name, write := range map[string]func(t *testing.T, s *chat.Service, ctx context.Context, i int) error{
		"groups": func(t *testing.T, s *chat.Service, ctx context.Context, i int) error {
			_, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: crowd(fmt.Sprint(i, "-"), 20), Name: "Team"})
			return err
		},
		"direct conversations": func(t *testing.T, s *chat.Service, ctx context.Context, i int) error {
			_, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Direct, Members: crowd(fmt.Sprint(i, "-"), 1)})
			return err
		},
		"objects": func(t *testing.T, s *chat.Service, ctx context.Context, i int) error {
			return s.SetObject(ctx, "alice", "tab", "draft", []byte(fmt.Sprintf(`"%d %s"`, i, strings.Repeat("x", 2000))))
		},
		"marks": func(t *testing.T, s *chat.Service, ctx context.Context, i int) error {
			m := send(t, s, bob, "alice", fmt.Sprint("b", i), "hello")
			return setMarks(ctx, s, "alice", m.Conversation, m.Seq, m.Seq)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testPaidFor(t, write) })
		})
	}
}

func testPaidFor(t *testing.T, write func(t *testing.T, s *chat.Service, ctx context.Context, i int) error) {
	s := service(t, chat.Config{Rates: chat.Rates{UserBytes: 50}})
	until(t, func(i int) error { return write(t, s, at(t, alice, home), i) })
	before := everything(t, s)
	_, _, err := s.Send(at(t, alice, home), alice, chat.SendParams{To: "bob", ClientID: "late", Text: "hello"})
	refused(t, "a message of who has nothing left", err, refusal.RateLimited)
	if after := everything(t, s); after != before {
		t.Errorf("what was refused has left\n%s\nwhere there was\n%s", after, before)
	}
	if _, _, err := s.Seen(at(t, alice, home), chat.User{ID: "alice", Name: "Alicia"}); err != nil {
		t.Errorf("who has written much may not come in any more: %v", err)
	}
}

// everything is what alice sees.
func everything(t *testing.T, s *chat.Service) string {
	t.Helper()
	list, _, err := s.List(t.Context(), "alice", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(struct {
		Conversations []chat.Conversation
		Items         []chat.Item
	}{list, feed(t, s, "alice", chat.OwnFeed)})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The same message again was paid for.
func TestAMessageThatIsRepeatedCostsNothing(t *testing.T) {
	s := service(t, chat.Config{Rates: chat.Rates{UserBytes: 50}})
	for range 500 {
		if _, _, err := s.Send(at(t, alice, home), alice, chat.SendParams{To: "bob", ClientID: "once", Text: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIdsThatNobodyHasAreNotMadeMembers(t *testing.T) {
	s := service(t, chat.Config{Reach: chat.Reach{Guests: []string{"support"}, Known: []string{"sales"}}})
	for _, u := range []chat.User{alice, bob} {
		if _, _, err := s.Seen(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	group := func(members ...string) error {
		_, err := s.Create(t.Context(), alice, chat.CreateParams{Kind: chat.Group, Members: members})
		return err
	}
	write := func(from chat.User, to string) error {
		_, _, err := s.Send(t.Context(), from, chat.SendParams{To: to, ClientID: from.ID + "-" + to, Text: "hello"})
		return err
	}
	refused(t, "a group with an invented id", group("bob", "nobody"), refusal.NotFound)
	refused(t, "a message to an invented id", write(alice, "nobody"), refusal.NotFound)
	if _, err := s.DirectWith(t.Context(), alice, "nobody"); !refusal.Is(err, refusal.NotFound) {
		t.Errorf("a call to an invented id: got %v", err)
	}
	for _, known := range []string{"bob", "support", "sales"} {
		if err := write(alice, known); err != nil {
			t.Errorf("a message to %s: %v", known, err)
		}
		if err := group(known); err != nil {
			t.Errorf("a group with %s: %v", known, err)
		}
	}
	if err := write(guest, "support"); err != nil {
		t.Errorf("a guest writes to an agent who has not signed in yet: %v", err)
	}
	if got, _, err := s.List(t.Context(), "nobody", "", 0); err != nil || len(got) != 0 {
		t.Errorf("an invented id has %d conversations, %v", len(got), err)
	}
	if err := s.Introduce(t.Context(), []string{"carol", "bob"}); err != nil {
		t.Fatal(err)
	}
	if err := group("bob", "carol"); err != nil {
		t.Errorf("a group with somebody who was introduced: %v", err)
	}
	if u, err := s.User(t.Context(), "alice", "bob"); err != nil || u.Name != "Bob" {
		t.Errorf("who was known keeps their name: got %+v, %v", u, err)
	}
}

// The defaults are chosen so that no person ever meets them: these are the busiest
// minutes of somebody who answers in a group of a hundred and in many direct conversations,
// reads along in a busy group of fifty, makes the groups of the day and pastes long texts.
func TestTheBusiestPersonMeetsNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service(t, chat.Config{})
		ctx := at(t, alice, home)
		large, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: crowd("large-", 99), Name: "Everybody"})
		if err != nil {
			t.Fatal(err)
		}
		busy, err := s.Create(t.Context(), bob, chat.CreateParams{Kind: chat.Group, Members: append(crowd("busy-", 48), "alice"), Name: "Busy", Vouched: true})
		if err != nil {
			t.Fatal(err)
		}
		say := func(ctx context.Context, from chat.User, p chat.SendParams, text string) {
			p.Text, p.ClientID = text, fmt.Sprint(time.Now().UnixNano(), p.To)
			m, _, err := s.Send(ctx, from, p)
			if err == nil && from.ID == bob.ID {
				err = setMarks(at(t, alice, home), s, "alice", m.Conversation, m.Seq, m.Seq)
			}
			if err != nil {
				t.Fatalf("%s writes %q: %v", from.ID, text[:8], err)
			}
		}
		for second := range 8 * 60 {
			time.Sleep(time.Second)
			if second%4 == 0 {
				say(ctx, alice, chat.SendParams{Conversation: large.ID}, strings.Repeat("a sentence ", 10))
			}
			if second%3 == 0 {
				say(t.Context(), bob, chat.SendParams{Conversation: busy.ID}, "and so on")
			}
			if second%5 == 0 {
				say(ctx, alice, chat.SendParams{To: fmt.Sprint("customer-", second%200)}, strings.Repeat("an answer ", 20))
			}
			if second%60 == 0 {
				say(ctx, alice, chat.SendParams{To: "bob"}, strings.Repeat("a long text ", 1300))
				if _, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: crowd(fmt.Sprint("team-", second, "-"), 20), Name: "Team"}); err != nil {
					t.Fatalf("a group in minute %d: %v", second/60, err)
				}
			}
		}
	})
}

// lossy is a store that has run a transaction when its disk fails.
type lossy struct {
	chat.Store
	failing bool
}

func (l *lossy) Write(ctx context.Context, conversation string, f func(chat.Tx) error) error {
	return l.Store.Write(ctx, conversation, func(tx chat.Tx) error {
		err := f(tx)
		if err == nil && l.failing {
			err = refusal.New(refusal.StorageFailed, "The disk is full.")
		}
		return err
	})
}

// Who tries again while the disk is full has not made many groups.
func TestWhatWasNotKeptCostsNothing(t *testing.T) {
	db := &lossy{Store: database(t), failing: true}
	s := chat.New(db, chat.Config{Reach: anyone.Reach, Rates: chat.Rates{UserGroups: 1, UserMembers: 2}})
	ctx := limit.PaidBy(t.Context(), limit.Payer{User: "alice"})
	for range 3 {
		_, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol"}})
		refused(t, "a group while the disk is full", err, refusal.StorageFailed)
	}
	db.failing = false
	if _, err := s.Create(ctx, alice, chat.CreateParams{Kind: chat.Group, Members: []string{"bob", "carol"}}); err != nil {
		t.Errorf("the first group that is kept: %v", err)
	}
}

// Two tokens of one user with different names may be said in turn. Who
// has written too much comes in all the same, under the name they had.
func TestChangesOfAProfileDrawOnTheBudget(t *testing.T) {
	s := service(t, chat.Config{Rates: chat.Rates{UserBytes: 10}})
	names := []string{"One", "Two"}
	kept := map[string]int{}
	for i := range 200 {
		u := chat.User{ID: "mallory", Name: names[i%2]}
		seen, _, err := s.Seen(at(t, u, home), u)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Name != u.Name {
			kept[seen.Name]++
		}
	}
	if len(kept) != 1 {
		t.Errorf("refused changes left these names: %v, want one", kept)
	}
}
