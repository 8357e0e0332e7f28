package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"carillon/chat"
)

// The list of one who has few conversations and of one who has many is found in different ways,
// and is what sorting all of them gives.
func TestListsOfConversations(t *testing.T) {
	s, _ := open(t, Config{})
	type conversation struct {
		id     string
		minute int64
	}
	of := map[string][]conversation{}
	random := rand.New(rand.NewPCG(1, 2))
	const all, many = 4000, 700
	put(t, s, func(tx *tx) error {
		for i := range all {
			c := conversation{fmt.Sprintf("c%04d", random.IntN(10_000)*all+i), random.Int64N(300)}
			users := []string{"somebody"}
			if i%100 == 0 {
				users = append(users, "few")
			}
			if random.IntN(all) < many {
				users = append(users, "dense")
			}
			if c.minute < 150 && len(of["deep"]) < many { // nothing among those that changed latest
				users = append(users, "deep")
			}
			if err := tx.putGroup(c.id, users...); err != nil {
				return err
			}
			if _, _, err := tx.post(c.id, "somebody", c.id); err != nil {
				return err
			}
			if _, err := tx.exec("UPDATE conversations SET minute = ? WHERE id = ?", c.minute, c.id); err != nil {
				return err
			}
			for _, user := range users {
				of[user] = append(of[user], c)
			}
		}
		return nil
	})
	for _, user := range []string{"few", "dense", "deep", "somebody"} {
		want := of[user]
		slices.SortFunc(want, func(a, b conversation) int {
			return -cmp.Or(cmp.Compare(a.minute, b.minute), cmp.Compare(a.id, b.id))
		})
		minute, id := int64(1<<40), ""
		for pages := 0; len(want) > 0 && pages < 8; pages++ {
			page := get(t, s, func(v *view) ([]chat.Seen, error) { return v.Heads(user, minute, id, 50) })
			if len(page) != min(50, len(want)) {
				t.Fatalf("%s: page %d has %d, want %d", user, pages, len(page), min(50, len(want)))
			}
			for i, seen := range page {
				if seen.ID != want[i].id || seen.Last == nil || seen.Last.Text != seen.ID || seen.Mine.State != chat.Joined || seen.MineAt.Pos == 0 {
					t.Fatalf("%s: page %d has %+v at %d, want %s", user, pages, seen, i, want[i].id)
				}
			}
			minute, id, want = page[len(page)-1].Minute, page[len(page)-1].ID, want[len(page):]
		}
		for _, since := range []int64{0, 120, 290} {
			var want []string
			for _, c := range of[user] {
				if c.minute >= since {
					want = append(want, c.id)
				}
			}
			slices.Sort(want)
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				page := get(t, s, func(v *view) ([]chat.Seen, error) { return v.ChangedHeads(user, since, after, 333) })
				for _, seen := range page {
					got = append(got, seen.ID)
				}
				if len(page) < 333 {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %d changed since %d, want %d", user, len(got), since, len(want))
			}
		}
	}
}

func TestWhatAMemberMaySeeOfAHead(t *testing.T) {
	s, _ := open(t, Config{})
	put(t, s, func(tx *tx) error {
		if err := tx.putGroup("g", "alice"); err != nil {
			return err
		}
		if _, _, err := tx.post("g", "alice", "before"); err != nil {
			return err
		}
		if err := tx.putMembers("g", chat.Invited, 0, "invited"); err != nil {
			return err
		}
		if err := tx.putMembers("g", chat.Joined, 2, "late"); err != nil {
			return err
		}
		return tx.putMembers("g", chat.Gone, 0, "gone")
	})
	for user, want := range map[string]string{"alice": "joined before", "invited": "invited nothing", "late": "joined nothing", "gone": "", "nobody": ""} {
		got := ""
		for _, seen := range get(t, s, func(v *view) ([]chat.Seen, error) { return v.SeenBy(user, []string{"g", "none"}) }) {
			got = string(seen.Mine.State) + " nothing"
			if seen.Last != nil {
				got = string(seen.Mine.State) + " " + seen.Last.Text
			}
		}
		if got != want {
			t.Errorf("%s sees %q, want %q", user, got, want)
		}
	}
	heads := get(t, s, func(v *view) ([]chat.Head, error) { return v.HeadsByID([]string{"g", "none"}) })
	if len(heads) != 1 || heads[0].Name != "g" || heads[0].LastSeq != 1 {
		t.Errorf("heads %+v, want that of g", heads)
	}
}
