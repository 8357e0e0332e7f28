package store

import (
	"strings"

	"carillon/chat"
)

// manyConversations is from how many on a user's conversations are found by when they changed,
// and not by whose they are.
const manyConversations = 500

// walked is how many recently changed conversations are looked through for one user's, before all
// of the user's are read after all.
const walked = 2000

// seenColumns end with those of the last message, in a table called o.
var seenColumns = headColumns + ", " + membershipColumns + ", m.own_pos, m.own_tag, " + strings.ReplaceAll(restOfMessage, "m.", "o.")

// Who is invited sees no message, and who has joined none from before.
const lastMessage = " LEFT JOIN messages o ON o.conversation = c.id AND o.seq = c.last_seq AND o.seq >= m.from_seq AND m.state = 'joined'"

var (
	seenByUser   = "SELECT " + seenColumns + " FROM members m CROSS JOIN conversations c" + lastMessage + " WHERE c.id = m.conversation AND m.user_id = ? AND m.state <> 'gone'"
	seenByChange = "SELECT " + seenColumns + " FROM (SELECT id FROM conversations WHERE minute >= ?) recent CROSS JOIN members m CROSS JOIN conversations c" + lastMessage +
		" WHERE m.conversation = recent.id AND c.id = recent.id AND m.user_id = ? AND m.state <> 'gone'"
	seenByMinute = "SELECT " + seenColumns + " FROM conversations c CROSS JOIN members m" + lastMessage + " WHERE m.conversation = c.id AND m.user_id = ? AND m.state <> 'gone'"
)

func scanSeen(row scanner) (s chat.Seen, err error) {
	var last messageRow
	dest, split := headDest(&s.Head)
	dest = append(append(dest, membershipDest(&s.Mine)...), &s.MineAt.Pos, &s.MineAt.Tag)
	err = row.Scan(append(dest, last.restDest()...)...)
	split()
	if err != nil || last.Seq == 0 {
		return s, err
	}
	last.Conversation = s.ID
	m, err := last.message()
	s.Last = &m
	return s, err
}

// hasMany reports whether a user has more conversations than are worth reading one by one.
func (v *view) hasMany(user string) (bool, error) {
	var n int
	err := v.row("SELECT count(*) FROM (SELECT 1 FROM members WHERE user_id = ? LIMIT ?) few", user, manyConversations+1).Scan(&n)
	return n > manyConversations, err
}

func (v *view) Heads(user string, beforeMinute int64, beforeID string, limit int) ([]chat.Seen, error) {
	if many, err := v.hasMany(user); err != nil {
		return nil, err
	} else if many {
		page, err := v.walkHeads(user, beforeMinute, beforeID, limit)
		if err != nil || len(page) == limit {
			return page, err
		}
	}
	return collect(v.conn, scanSeen, seenByUser+" AND (c.minute, c.id) < (?, ?) ORDER BY c.minute DESC, c.id DESC LIMIT ?",
		user, beforeMinute, beforeID, limit)
}

// walkHeads looks for a page of Heads among the conversations that changed latest, of anybody. It
// gives up after some, and then finds less than a page.
func (v *view) walkHeads(user string, beforeMinute int64, beforeID string, limit int) ([]chat.Seen, error) {
	var minute int64
	var id string
	_, err := found(v.row("SELECT minute, id FROM conversations WHERE (minute, id) < (?, ?) ORDER BY minute DESC, id DESC LIMIT 1 OFFSET ?",
		beforeMinute, beforeID, walked).Scan(&minute, &id))
	if err != nil {
		return nil, err
	}
	return collect(v.conn, scanSeen, seenByMinute+" AND (c.minute, c.id) < (?, ?) AND (c.minute, c.id) >= (?, ?) ORDER BY c.minute DESC, c.id DESC LIMIT ?",
		user, beforeMinute, beforeID, minute, id, limit)
}

func (v *view) ChangedHeads(user string, sinceMinute int64, after string, limit int) ([]chat.Seen, error) {
	if many, err := v.hasMany(user); err != nil {
		return nil, err
	} else if many {
		var n int
		if err := v.row("SELECT count(*) FROM (SELECT 1 FROM conversations WHERE minute >= ? LIMIT ?) few", sinceMinute, walked+1).Scan(&n); err != nil {
			return nil, err
		}
		if n <= walked {
			return collect(v.conn, scanSeen, seenByChange+" AND recent.id > ? ORDER BY c.id LIMIT ?", sinceMinute, user, after, limit)
		}
	}
	return collect(v.conn, scanSeen, seenByUser+" AND c.minute >= ? AND c.id > ? ORDER BY c.id LIMIT ?", user, sinceMinute, after, limit)
}

func (v *view) SeenBy(user string, conversations []string) ([]chat.Seen, error) {
	return collect(v.conn, scanSeen, seenByMinute+" AND c.id IN "+v.sql.texts, user, list(conversations))
}
