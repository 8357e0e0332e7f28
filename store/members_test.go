package store

import (
	"fmt"
	"slices"
	"testing"

	"carillon/chat"
)

func TestWhoTakesPartIsCounted(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error { return tx.putGroup("g", "alice", "bob", "carol") })
	head := func() chat.Head {
		return get(t, s, func(v *view) (chat.Head, error) { h, _, err := v.Head("g"); return h, err })
	}
	before := head()
	if before.Count != 3 {
		t.Errorf("%d have joined, want 3", before.Count)
	}
	put(t, s, func(tx *tx) error { return tx.putMembers("g", chat.Invited, 0, "dora", "emil") })
	put(t, s, func(tx *tx) error { return tx.putMembers("g", chat.Joined, 1, "dora", "alice") })
	put(t, s, func(tx *tx) error { return tx.putMembers("g", chat.Gone, 0, "bob") })
	if h := head(); h.Count != 3 || h.Version != before.Version+3 {
		t.Errorf("%d have joined, version %d; want 3 after three changes from %d", h.Count, h.Version, before.Version)
	}
	readers := get(t, s, func(v *view) ([]chat.Reader, error) { return v.Readers("g") })
	if want := []chat.Reader{{User: "alice", From: 1}, {User: "carol"}, {User: "dora", From: 1}}; !slices.Equal(readers, want) {
		t.Errorf("readers are %v, want %v", readers, want)
	}
	joined := get(t, s, func(v *view) ([]string, error) { return v.Joined("g", []string{"alice", "bob", "emil", "nobody"}) })
	if !slices.Equal(joined, []string{"alice"}) {
		t.Errorf("of four, %v have joined", joined)
	}
	members := get(t, s, func(v *view) ([]chat.Member, error) { return v.Members("g", "alice", 10) })
	if got := fmt.Sprint(ids(members)); got != "[carol dora emil]" {
		t.Errorf("members after alice: %v", got)
	}
	first := get(t, s, func(v *view) (map[string][]chat.Member, error) { return v.FirstMembers([]string{"g", "none"}, 2) })
	if got := fmt.Sprint(ids(first["g"])); got != "[alice carol]" || len(first) != 1 {
		t.Errorf("first members: %v", first)
	}
	open := get(t, s, func(v *view) ([]chat.Invitations, error) { return v.Invitations([]string{"dora", "emil"}, "alice") })
	if want := (chat.Invitations{User: "emil", All: 1}); len(open) != 1 || open[0] != want {
		t.Errorf("open invitations: %v, want one of emil's", open)
	}
}

func ids(members []chat.Member) (list []string) {
	for _, m := range members {
		list = append(list, m.ID)
	}
	return list
}

func TestOneConversationPerPair(t *testing.T) {
	s, _ := open(t, Config{})
	putDirect := func(id string, pair ...string) (made bool) {
		put(t, s, func(tx *tx) (err error) {
			made, err = tx.PutConversation(chat.Head{ID: id, Kind: chat.Direct, Pair: pair})
			return err
		})
		return made
	}
	if !putDirect("first", "alice", "bob") || putDirect("second", "bob", "alice") || !putDirect("third", "bob", "carol") {
		t.Error("of three conversations of two pairs, want the first and the third made")
	}
	get(t, s, func(v *view) (bool, error) {
		id, found, err := v.DirectBetween("bob", "alice")
		if id != "first" || !found || err != nil {
			t.Errorf("between bob and alice is %q, %t, %v", id, found, err)
		}
		if _, second, err := v.Head("second"); second || err != nil {
			t.Errorf("the second is stored: %t, %v", second, err)
		}
		h, _, err := v.Head("first")
		if !slices.Equal(h.Pair, []string{"alice", "bob"}) {
			t.Errorf("pair of it: %v", h.Pair)
		}
		return found, err
	})
}

func TestMarksAreStoredTogether(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice", "bob"); err != nil {
			return err
		}
		if err := tx.putGroup("h", "alice"); err != nil {
			return err
		}
		for i := range 5 { // alice 1, 3, 5; bob 2, 4
			if _, _, err := tx.post("g", []string{"alice", "bob"}[i%2], "x"); err != nil {
				return err
			}
		}
		m := chat.Message{Conversation: "g", Sender: "alice", Kind: chat.Call} // 6 counts for nobody
		_, err := tx.append(&m)
		return err
	})
	passed := get(t, s, func(v *view) ([]chat.Passed, error) {
		return v.Passed([]chat.Span{{Conversation: "g", User: "alice", After: 1, UpTo: 6}, {Conversation: "h", User: "alice", UpTo: 9},
			{Conversation: "g", User: "bob", After: 0, UpTo: 2}, {Conversation: "g", User: "bob", After: 5, UpTo: 99}})
	})
	if want := []chat.Passed{{N: 5, Own: 2}, {}, {N: 2, Own: 1}, {N: 5}}; !slices.Equal(passed, want) {
		t.Errorf("passed %v, want %v", passed, want)
	}
	pairs := []chat.Pair{{Conversation: "g", User: "bob"}, {Conversation: "g", User: "alice"}, {Conversation: "h", User: "alice"}, {Conversation: "h", User: "bob"}}
	rows := get(t, s, func(v *view) ([]chat.Participation, error) { return v.Participations(pairs) })
	if len(rows) != 3 {
		t.Fatalf("rows %v, want the three that are there", rows)
	}
	for i := range rows {
		p := &rows[i]
		p.Delivered, p.Read, p.ReadN, p.OwnAhead, p.Missed, p.MissedSeq = 6, 5, 4, 3, 2, 1
		p.InOwn = chat.Place{Pos: 77 + int64(i), Tag: -1}
		p.Role, p.State, p.FromSeq = chat.Owner, chat.Gone, 9 // are not marks
	}
	rows = append(rows, chat.Participation{User: "nobody", Membership: chat.Membership{Conversation: "g"}})
	put(t, s, func(tx *tx) error {
		if err := tx.PutMarks(rows); err != nil {
			return err
		}
		return tx.PutOwnPlaces(rows)
	})
	for _, p := range get(t, s, func(v *view) ([]chat.Participation, error) { return v.Participations(pairs) }) {
		if p.Delivered != 6 || p.Read != 5 || p.ReadN != 4 || p.OwnAhead != 3 || p.Missed != 2 || p.MissedSeq != 1 || p.InOwn.Pos < 77 || p.InOwn.Tag != -1 {
			t.Errorf("stored %+v", p)
		}
		if p.Role != chat.Ordinary || p.State != chat.Joined || p.FromSeq != 0 {
			t.Errorf("what is no mark has changed: %+v", p)
		}
	}
	counts := get(t, s, func(v *view) ([]chat.MarkedCount, error) { return v.CountMarks("g", 6) })
	if len(counts) != 1 || counts[0] != (chat.MarkedCount{Marks: chat.Marks{Delivered: 6, Read: 6}, Members: 2}) {
		t.Errorf("counted %v, want two members at 6 where 6 is the least", counts)
	}
}

// It is asked from the side that has fewer conversations, and that makes no difference.
func TestWhoSharesAConversationWithWhom(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error {
		for i := range manyConversations + 1 {
			if err := tx.putGroup(fmt.Sprintf("of-agent-%d", i), "agent", fmt.Sprintf("customer%d", i)); err != nil {
				return err
			}
		}
		if err := tx.putMembers("of-agent-0", chat.Invited, 0, "invited"); err != nil {
			return err
		}
		if err := tx.putMembers("of-agent-0", chat.Gone, 0, "gone"); err != nil {
			return err
		}
		if _, err := tx.PutConversation(chat.Head{ID: "d", Kind: chat.Direct, Pair: []string{"agent", "peer"}}); err != nil {
			return err
		}
		return tx.putMembers("d", chat.Joined, 0, "agent", "peer")
	})
	for _, c := range []struct {
		asker  string
		others []string
		groups string
		some   string // with whom they share one of the conversations below
	}{
		{"agent", []string{"customer0", "customer500", "invited", "gone", "peer", "nobody"}, "[customer0 customer500]", "[customer0 peer]"},
		{"customer7", []string{"agent", "customer8"}, "[agent]", "[]"},
		{"customer0", []string{"agent", "customer7", "peer"}, "[agent]", "[agent]"},
		{"peer", []string{"agent"}, "[]", "[agent]"},
		{"invited", []string{"agent", "customer0"}, "[]", "[]"},
		{"nobody", []string{"agent"}, "[]", "[]"},
	} {
		groups := get(t, s, func(v *view) ([]string, error) { return v.SharingGroup(c.asker, c.others) })
		some := get(t, s, func(v *view) ([]string, error) {
			return v.SharingAnyOf(c.asker, []string{"of-agent-0", "d", "none"}, c.others)
		})
		slices.Sort(groups)
		slices.Sort(some)
		if fmt.Sprint(groups) != c.groups || fmt.Sprint(some) != c.some {
			t.Errorf("%s of %v: shares a group with %v, one of some conversations with %v; want %s and %s", c.asker, c.others, groups, some, c.groups, c.some)
		}
	}
}

// Who is a contact, and who has shown themselves to whom, are two things, and go one way only.
func TestWhatIsShownOutlivesTheContact(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error {
		at, err := tx.NextPlaces([]string{"fan", "was-fan", "was-fan"})
		if err != nil {
			return err
		}
		for range 2 { // the second changes nothing
			if err := tx.PutShown("was-fan", "agent"); err != nil {
				return err
			}
		}
		if err := tx.PutContact("fan", "agent", false, at[0]); err != nil {
			return err
		}
		if err := tx.PutContact("was-fan", "agent", false, at[1]); err != nil {
			return err
		}
		return tx.PutContact("was-fan", "agent", true, at[2])
	})
	users := []string{"fan", "was-fan", "agent", "nobody"}
	if got := get(t, s, func(v *view) ([]string, error) { return v.HaveShown(users, "agent") }); fmt.Sprint(got) != "[was-fan]" {
		t.Errorf("%v have shown themselves to the agent, want was-fan", got)
	}
	if got := get(t, s, func(v *view) ([]string, error) { return v.AreContacts(users, "agent") }); fmt.Sprint(got) != "[fan]" {
		t.Errorf("%v have the agent as a contact, want fan", got)
	}
	for pair, want := range map[[2]string][2]bool{{"fan", "agent"}: {true, false}, {"was-fan", "agent"}: {false, true}, {"agent", "was-fan"}: {false, false}} {
		got := get(t, s, func(v *view) (chat.Acquaintance, error) { return v.Acquaintance(pair[0], pair[1]) })
		if want := (chat.Acquaintance{Contact: want[0], Shown: want[1]}); got != want {
			t.Errorf("%s stands to %s as %+v, want %+v", pair[0], pair[1], got, want)
		}
	}
}
