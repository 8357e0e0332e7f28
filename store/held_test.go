package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"carillon/chat"
)

// Whatever is written, and taken back, a write finds what the database has.
func TestWhatIsHeldIsWhatIsStored(t *testing.T) {
	s, _ := open(t, Config{})
	random := rand.New(rand.NewPCG(3, 4))
	groups, users := []string{"g0", "g1", "g2"}, []string{"alice", "bob", "carol"}
	put(t, s, func(tx *tx) error {
		for _, g := range groups {
			if err := tx.putGroup(g, users...); err != nil {
				return err
			}
		}
		return nil
	})
	changedMind := errors.New("changed my mind")
	for n := range 300 {
		g, user := groups[random.IntN(len(groups))], users[random.IntN(len(users))]
		err := s.write(t.Context(), "", func(tx *tx) error {
			p, _, err := tx.Participation(g, user)
			if err != nil {
				return err
			}
			switch random.IntN(8) {
			case 0:
				_, _, err = tx.post(g, user, "x")
			case 1:
				_, at, next := tx.NextPlace(g, 1)
				err = errors.Join(next, tx.PutSettings(g, chat.Settings{Name: fmt.Sprint(n)}, at))
			case 2:
				p.Read, p.OwnAhead, p.Role = p.Read+1, p.OwnAhead+2, chat.Owner // a role is no mark
				err = tx.PutMarks([]chat.Participation{p})
			case 3:
				own, next := tx.NextPlaces([]string{user})
				if next != nil {
					return next
				}
				p.InOwn, p.Delivered = own[0], 99 // a mark is no place
				err = tx.PutOwnPlaces([]chat.Participation{p})
			case 4:
				err = tx.PutContact(user, users[random.IntN(len(users))], random.IntN(2) == 0, chat.Place{Pos: int64(n + 1), Tag: 1})
			case 5:
				err = tx.PutShown(user, users[random.IntN(len(users))])
			case 6:
				err = tx.PutOwnItem(user, chat.OwnItem{Type: chat.ItemBlock, Name: users[random.IntN(len(users))], Removed: random.IntN(2) == 0}, chat.Place{Pos: int64(n + 1), Tag: 1})
			case 7:
				state := []chat.MemberState{chat.Joined, chat.Invited, chat.Gone}[random.IntN(3)]
				err = tx.putMembers(g, state, int64(n), user)
			}
			if err == nil && random.IntN(4) == 0 {
				err = changedMind
			}
			return err
		})
		if err != nil && !errors.Is(err, changedMind) {
			t.Fatal(err)
		}
		put(t, s, func(tx *tx) error {
			for _, g := range groups {
				held, _, err := tx.Head(g)
				stored, _, errStored := tx.view.Head(g)
				if err != nil || errStored != nil || !reflect.DeepEqual(held, stored) {
					return fmt.Errorf("after write %d the head is %+v, stored is %+v; %v, %v", n, held, stored, err, errStored)
				}
				for _, user := range users {
					for _, other := range users {
						held, err := tx.Acquaintance(user, other)
						stored, errStored := tx.view.Acquaintance(user, other)
						if err != nil || errStored != nil || held != stored {
							return fmt.Errorf("after write %d %s stands to %s as %+v, stored is %+v; %v, %v", n, user, other, held, stored, err, errStored)
						}
					}
					held, _, err := tx.Participation(g, user)
					stored, _, errStored := tx.view.Participation(g, user)
					if err != nil || errStored != nil || held != stored {
						return fmt.Errorf("after write %d %s is %+v, stored is %+v; %v, %v", n, user, held, stored, err, errStored)
					}
				}
			}
			return nil
		})
	}
}
