package store

import (
	"fmt"
	"maps"
	"slices"

	"carillon/chat"
)

// An item of any type is one row: its place and type, and the columns of each type, of which
// those of the other types are empty.
const (
	noMessage    = "'', 0, 0, '', '', '', '', '', 0, 0"
	noMember     = "'', '', '', 0, '', '', 0, 0"
	noMembership = "'', '', '', '', 0, 0, 0, 0, 0"
	noContact    = "'', '', '', 0, 0"
	noObject     = "'', '', ''"
)

func (v *view) ConversationChanges(conversation string, after, from int64, limit int) ([]chat.Item, error) {
	scan := func(row scanner) (chat.Item, error) {
		var at chat.Place
		var t chat.ItemType
		var message chat.Message
		var member chat.Member
		var settings chat.Settings
		dest := append([]any{&at.Pos, &at.Tag, &t}, messageDest(&message)...)
		if err := row.Scan(append(append(dest, memberDest(&member)...), &settings.Name)...); err != nil {
			return chat.Item{}, err
		}
		switch t {
		case chat.ItemMessage:
			message.ID = chat.MessageID(message.Conversation, message.Seq)
			return chat.NewItem(at, message)
		case chat.ItemMember:
			return chat.NewItem(at, member)
		}
		return chat.NewItem(at, settings)
	}
	return collect(v.conn, scan, `
		SELECT m.pos AS pos, m.tag, 'message', `+messageColumns+", "+noMember+`, '' FROM messages m WHERE m.conversation = ? AND m.pos > ? AND m.seq >= ?
		UNION ALL
		SELECT m.pos, m.tag, 'member', `+noMessage+", "+memberColumns+`, '' FROM members m LEFT JOIN users u ON u.id = m.user_id WHERE m.conversation = ? AND m.pos > ?
		UNION ALL
		SELECT c.own_pos, c.own_tag, 'conversation', `+noMessage+", "+noMember+`, c.name FROM conversations c WHERE c.id = ? AND c.own_pos > ?
		ORDER BY pos LIMIT ?`, conversation, after, from, conversation, after, conversation, after, limit)
}

func (v *view) UserPos(user string) (pos int64, err error) {
	_, err = found(v.row("SELECT pos FROM user_feeds WHERE user_id = ?", user).Scan(&pos))
	return pos, err
}

func (v *view) UserPositions(users []string) (map[string]int64, error) {
	return collectMap(v.conn, scanNumber, "SELECT user_id, pos FROM user_feeds WHERE user_id IN "+v.sql.texts, list(users))
}

func (v *view) UserChanges(user string, after int64, memberships bool, limit int) ([]chat.Item, error) {
	scan := func(row scanner) (chat.Item, error) {
		var at chat.Place
		var t chat.ItemType
		var m chat.Membership
		var c chat.Contact
		var o chat.UserObject
		if err := row.Scan(&at.Pos, &at.Tag, &t,
			&m.Conversation, &m.State, &m.Role, &m.InvitedBy, &m.FromSeq, &m.Read, &m.ReadN, &m.OwnAhead, &m.Missed,
			&c.ID, &c.Name, &c.Picture, &c.Guest, &c.Gone,
			&o.Key, &o.Tab, (*[]byte)(&o.Value)); err != nil {
			return chat.Item{}, err
		}
		switch t {
		case chat.ItemMembership:
			return chat.NewItem(at, m)
		case chat.ItemContact:
			return chat.NewItem(at, c)
		}
		return chat.NewItem(at, o)
	}
	return collect(v.conn, scan, `
		SELECT m.own_pos AS pos, m.own_tag, 'membership', m.conversation, m.state, m.role, m.invited_by, m.from_seq, m.read_seq, m.read_n, m.own_ahead, m.missed,
			`+noContact+", "+noObject+` FROM members m WHERE m.user_id = ? AND m.own_pos > ? AND ? = 1
		UNION ALL
		SELECT c.pos, c.tag, 'contact', `+noMembership+`, c.contact, coalesce(nullif(u.name, ''), c.contact), coalesce(u.picture, ''), coalesce(u.guest, 0), c.gone,
			`+noObject+` FROM contacts c LEFT JOIN users u ON u.id = c.contact WHERE c.user_id = ? AND c.pos > ?
		UNION ALL
		SELECT o.pos, o.tag, 'object', `+noMembership+", "+noContact+`, o.object_name, o.tab, o.value FROM objects o WHERE o.user_id = ? AND o.pos > ?
		ORDER BY pos LIMIT ?`, user, after, memberships, user, after, user, after, limit)
}

func (v *view) ConversationTags(at []chat.Point) (map[chat.Point]chat.Tag, error) {
	rows := make([][]any, len(at))
	for i, p := range at {
		rows[i] = []any{p.Conversation, p.Pos}
	}
	scan := func(row scanner) (p chat.Point, t chat.Tag, err error) {
		err = row.Scan(&p.Conversation, &p.Pos, &t)
		return p, t, err
	}
	return collectMap(v.conn, scan, `WITH l AS (SELECT value->>0 AS conversation, CAST(value->>1 AS BIGINT) AS pos FROM `+v.sql.rows+`)
		SELECT m.conversation, m.pos, m.tag FROM l CROSS JOIN messages m WHERE m.conversation = l.conversation AND m.pos = l.pos
		UNION ALL
		SELECT m.conversation, m.pos, m.tag FROM l CROSS JOIN members m WHERE m.conversation = l.conversation AND m.pos = l.pos
		UNION ALL
		SELECT c.id, c.own_pos, c.own_tag FROM l CROSS JOIN conversations c WHERE c.id = l.conversation AND c.own_pos = l.pos`, list(rows))
}

func (v *view) UserTags(user string, pos []int64) (map[int64]chat.Tag, error) {
	scan := func(row scanner) (pos int64, t chat.Tag, err error) {
		err = row.Scan(&pos, &t)
		return pos, t, err
	}
	return collectMap(v.conn, scan, `WITH l AS (SELECT CAST(value AS BIGINT) AS pos FROM `+v.sql.texts+` texts)
		SELECT m.own_pos, m.own_tag FROM l CROSS JOIN members m WHERE m.user_id = ? AND m.own_pos = l.pos
		UNION ALL
		SELECT c.pos, c.tag FROM l CROSS JOIN contacts c WHERE c.user_id = ? AND c.pos = l.pos
		UNION ALL
		SELECT o.pos, o.tag FROM l CROSS JOIN objects o WHERE o.user_id = ? AND o.pos = l.pos`, list(pos), user, user, user)
}

func (tx *tx) NextPlaces(users []string) ([]chat.Place, error) {
	changes := map[string]int64{}
	for _, user := range users {
		changes[user]++
	}
	rows := make([][]any, 0, len(changes))
	for _, user := range slices.Sorted(maps.Keys(changes)) { // the order in which they are locked
		rows = append(rows, []any{user, changes[user]})
	}
	tx.count(len(rows), nil)
	newest, err := collectMap(tx.conn, scanNumber, "INSERT INTO user_feeds (user_id, pos) SELECT value->>0, CAST(value->>1 AS BIGINT) FROM "+tx.sql.rows+` WHERE true
		ON CONFLICT (user_id) DO UPDATE SET pos = user_feeds.pos + excluded.pos RETURNING user_id, pos`, list(rows))
	if err != nil {
		return nil, fmt.Errorf("next places of %d users: %w", len(rows), err)
	}
	places := make([]chat.Place, len(users))
	for i, user := range users {
		changes[user]--
		places[i] = chat.Place{Pos: newest[user] - changes[user], Tag: tx.tag}
	}
	return places, nil
}

func (tx *tx) Lock(conversations, users []string) error {
	if tx.together && (len(conversations) > 1 || len(users) > 0) {
		return errAlone
	}
	if err := tx.hold(conversations); err != nil {
		return fmt.Errorf("lock conversations: %w", err)
	}
	if len(users) == 0 || tx.sql.forUpdate == "" {
		return nil
	}
	err := tx.conn.put("SELECT u.user_id FROM user_feeds u WHERE u.user_id IN "+tx.sql.texts+" ORDER BY u.user_id"+tx.sql.forUpdate, list(users))
	if err != nil {
		return fmt.Errorf("lock feeds of users: %w", err)
	}
	return nil
}
