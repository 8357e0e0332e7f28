package store

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"carillon/chat"
	"carillon/files"
)

// recorder keeps the queries that are asked.
type recorder struct {
	conn
	queries []string
}

func (r *recorder) exec(query string, args ...any) (int64, error) {
	r.queries = append(r.queries, query)
	return r.conn.exec(query, args...)
}

func (r *recorder) put(query string, args ...any) error {
	r.queries = append(r.queries, query)
	return r.conn.put(query, args...)
}

func (r *recorder) each(f func(scanner) error, query string, args ...any) error {
	r.queries = append(r.queries, query)
	return r.conn.each(f, query, args...)
}

func (r *recorder) ask(f func(scanner) error, query string, args ...any) error {
	return r.each(f, query, args...)
}

func (r *recorder) update(table string, columns, key []string, rows [][]any) error {
	r.queries = append(r.queries, updateOne(table, columns, key))
	return r.conn.update(table, columns, key, rows)
}

// everything asks each question and makes each change once.
func everything(tx *tx, many string) error {
	g, alice := "g", []string{"alice"}
	m := chat.Message{Conversation: g, Seq: 1, Sender: "alice", Kind: chat.Text, ClientID: "c"}
	row := chat.Participation{User: "alice", Membership: chat.Membership{Conversation: g, State: chat.Joined}}
	at := chat.Place{Pos: 1, Tag: 1}
	for _, f := range []func() error{
		func() error { _, err := tx.Known("o", 1); return err },
		func() error { _, _, err := tx.User("alice"); return err },
		func() error { _, err := tx.Users(alice); return err },
		func() error { _, err := tx.NameTaken("Alice"); return err },
		func() error { _, err := tx.LastSeen(alice); return err },
		func() error { _, _, err := tx.Head(g); return err },
		func() error { _, err := tx.HeadsByID([]string{g}); return err },
		func() error { _, err := tx.Heads("alice", 1<<40, "", 10); return err },
		func() error { _, err := tx.Heads(many, 1<<40, "", 10); return err },
		func() error { _, err := tx.ChangedHeads("alice", 1, "", 10); return err },
		func() error { _, err := tx.ChangedHeads(many, 1, "", 10); return err },
		func() error { _, err := tx.ChangedHeads(many, 1<<40, "", 10); return err },
		func() error { _, err := tx.SeenBy("alice", []string{g}); return err },
		func() error { _, _, err := tx.DirectBetween("alice", "bob"); return err },
		func() error { _, err := tx.SharingGroup("alice", alice); return err },
		func() error { _, err := tx.SharingAnyOf("alice", []string{g}, alice); return err },
		func() error { _, _, err := tx.Participation(g, "alice"); return err },
		func() error { _, err := tx.Participations([]chat.Pair{{Conversation: g, User: "alice"}}); return err },
		func() error { _, err := tx.Invitations(alice, "bob"); return err },
		func() error { _, err := tx.Readers(g); return err },
		func() error { _, err := tx.Members(g, "", 10); return err },
		func() error { _, err := tx.FirstMembers([]string{g}, 10); return err },
		func() error { _, err := tx.CountMarks(g, 0); return err },
		func() error { _, err := tx.AreContacts(alice, "bob"); return err },
		func() error { _, err := tx.HaveShown(alice, "bob"); return err },
		func() error { _, err := tx.Acquaintance("alice", "bob"); return err },
		func() error { _, err := tx.AreContacts([]string{"alice", "carol"}, "bob"); return err },
		func() error { _, err := tx.Contacts("alice", "", 10); return err },
		func() error { _, err := tx.CountContacts("alice"); return err },
		func() error { _, _, err := tx.OwnItem("alice", chat.ItemObject, "k"); return err },
		func() error { _, err := tx.OwnItems("alice", chat.ItemObject, "", 10); return err },
		func() error { _, err := tx.OwnItemNamed(alice, chat.ItemBlock, "bob"); return err },
		func() error { _, _, err := tx.OwnItemsSize("alice", chat.ItemObject); return err },
		func() error { _, _, _, err := tx.Sent("alice", "c"); return err },
		func() error { _, err := tx.AllSent("alice", []string{"c"}); return err },
		func() error { _, _, _, err := tx.Message(g, 1); return err },
		func() error { _, err := tx.Before(g, 9, 0, 10); return err },
		func() error { _, err := tx.After(g, 0, 10); return err },
		func() error { _, err := tx.Reactions(g, 1); return err },
		func() error { _, err := tx.ReactionItems(g, []int64{1}); return err },
		func() error { _, err := tx.ReactionsOf("alice", g, []int64{1}); return err },
		func() error { _, err := tx.WhoReacted(g, 1, "👍", "", 10); return err },
		func() error { _, err := tx.HaveOwnItems("alice", chat.ItemHidden, []string{"g.1"}); return err },
		func() error { _, err := tx.Passed([]chat.Span{{Conversation: g, User: "alice", UpTo: 1}}); return err },
		func() error { _, err := tx.ConversationChanges(g, 0, 0, 10); return err },
		func() error { _, err := tx.UserPos("alice"); return err },
		func() error { _, err := tx.UserChanges("alice", 0, true, 10); return err },
		func() error { _, err := tx.ConversationTags([]chat.Point{{Conversation: g, Pos: 1}}); return err },
		func() error { _, err := tx.UserTags("alice", []int64{1}); return err },
		func() error { _, err := tx.ChangedSince(1, "", 10); return err },
		func() error { _, err := tx.UserPositions(alice); return err },
		func() error { _, err := tx.Joined(g, alice); return err },
		func() error { _, err := tx.ReadersAmong(g, alice); return err },
		func() error { _, err := tx.LargeGroups("alice"); return err },
		func() error { return tx.PutLarge(g) },

		func() error { _, err := tx.PutConversation(chat.Head{ID: g, Kind: chat.Group}); return err },
		func() error { _, _, err := tx.NextPlace(g, 1); return err },
		func() error { tx.held.forget(); _, err := tx.LockFor([]*chat.Message{&m}); return err },
		func() error { _, err := tx.NextMessages([]*chat.Message{&m}); return err },
		func() error { _, err := tx.NextPlaces(alice); return err },
		func() error { return tx.PutMessages([]*chat.Message{&m}, []chat.Place{at}) },
		func() error { return tx.ChangeMessage(m, at) },
		func() error { return tx.PutSettings(g, chat.Settings{}, at) },
		func() error { _, err := tx.PutParticipations(g, []chat.Participation{row}); return err },
		func() error { return tx.PutMarks([]chat.Participation{row}) },
		func() error { return tx.PutOwnPlaces([]chat.Participation{row}) },
		func() error { return tx.PutUser(chat.User{ID: "alice", Name: "Alice"}) },
		func() error { return tx.PutLastSeen(map[string]int64{"alice": 1}) },
		func() error { return tx.PutMine(row) },
		func() error { return tx.PutReaction(g, 1, "alice", "👍", true) },
		func() error { return tx.PutReaction(g, 1, "alice", "👍", false) },
		func() error { return tx.PutReactions(g, chat.Reactions{Seq: 1}, at) },
		func() error { return tx.PutOwnItem("alice", chat.OwnItem{Type: chat.ItemObject, Name: "k"}, at) },
		func() error { return tx.PutContact("alice", "bob", false, at) },
		func() error { return tx.PutShown("alice", "bob") },

		func() error { _, _, err := tx.File("f"); return err },
		func() error { _, _, err := tx.LockFile("f"); return err },
		func() error { _, err := tx.Collectable(10); return err },
		func() error { _, err := tx.FileUses("alice", []string{"f"}); return err },
		func() error { _, err := tx.FilesOf(g, 1); return err },
		func() error { _, err := tx.FinishedFiles([]string{"f"}); return err },
		func() error { return tx.PutFile(files.File{ID: "f", Owner: "alice"}) },
		func() error { _, err := tx.AddUsage("alice", 1); return err },
		func() error { return tx.PutFileUses(g, 1, []string{"f"}) },
		func() error { return tx.RemoveFileUses(g, 0, 1) },
		func() error { return tx.DeleteFile("f") },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// What SQLite may read from one end to the other: lists that it was given, and what other parts of
// the query have found.
var mayScan = regexp.MustCompile(`^SCAN (json_each|\d+ CONSTANT ROW|CONSTANT ROW|l|texts|asker|few|marks|\(?subquery.*)( |$)`)

// Of these the rows are sorted that were found: one user's at most, or those of some minutes.
var maySort = []string{seenByUser, seenByChange, "ORDER BY l.place", "WHERE minute >= ?", "GROUP BY", sqliteDialect.firstMembers}

// readsAll is a search that finds half of a table, or all that there is of a conversation or user.
var readsAll = regexp.MustCompile(`\((id|conversation|user_id|sender)>\?\)|\((conversation|user_id)=\?\)$`)

// The members of one conversation are read in one go, and so are the conversations of a user who
// has not many, and what is counted. A user has one feed.
var mayReadAll = []string{"state = 'joined'", seenByUser, "count(*)", "FROM user_feeds"}

// A query that reads a whole table is fast in every test and slow for whoever has used it for a year.
func TestEveryQueryHasAnIndex(t *testing.T) {
	s, _ := openSQLiteStore(t, Config{})
	asked := &recorder{}
	put(t, s, func(tx *tx) error {
		for i := range manyConversations + 1 {
			if err := tx.putGroup("many"+strings.Repeat("x", i), "many"); err != nil {
				return err
			}
		}
		asked.conn = tx.conn
		tx.conn = asked
		defer func() { tx.conn = asked.conn }()
		return everything(tx, "many")
	})
	slices.Sort(asked.queries)
	asked.queries = slices.Compact(asked.queries)
	if len(asked.queries) < 60 {
		t.Fatalf("%d queries were asked", len(asked.queries))
	}
	for _, query := range asked.queries {
		plan := get(t, s, func(v *view) ([]string, error) {
			return collect(v.conn, func(row scanner) (detail string, err error) {
				var id, parent, unused int
				err = row.Scan(&id, &parent, &unused, &detail)
				return detail, err
			}, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
		})
		for _, step := range plan {
			sorts := strings.HasPrefix(step, "USE TEMP B-TREE")
			is := func(part string) bool { return strings.Contains(query, part) }
			if strings.HasPrefix(step, "SCAN") && !mayScan.MatchString(step) || sorts && !slices.ContainsFunc(maySort, is) ||
				readsAll.MatchString(step) && !slices.ContainsFunc(mayReadAll, is) {
				t.Errorf("%s\nhas the step %s of\n%s", query, step, strings.Join(plan, "\n"))
			}
		}
	}
}
