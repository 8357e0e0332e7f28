package store

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carillon/chat"
)

// firstByPos returns the first of items of one feed, that were read in parts.
func firstByPos(limit int, parts ...[]chat.Item) []chat.Item {
	items := slices.Concat(parts...)
	slices.SortFunc(items, func(a, b chat.Item) int { return cmp.Compare(a.Pos, b.Pos) })
	return items[:min(limit, len(items))]
}

func (v *view) ConversationChanges(conversation string, after, from int64, limit int) ([]chat.Item, error) {
	// A message that was never changed is found by its seq, so that it needs no place in an index by
	// pos: as many messages at most have come after a pos as there were changes.
	messages, err := collect(v.conn, scanMessageItem, "SELECT "+messageColumns+`, m.pos, m.tag FROM conversations c CROSS JOIN messages m
		WHERE c.id = ? AND m.conversation = c.id AND m.seq > c.last_seq - (c.pos - ?) AND m.seq >= ? AND m.pos > ? AND m.revision = 0
		ORDER BY m.seq LIMIT ?`, conversation, after, from, after, limit)
	if err != nil {
		return nil, err
	}
	revised, err := collect(v.conn, scanMessageItem, "SELECT "+messageColumns+`, m.pos, m.tag FROM messages m
		WHERE m.conversation = ? AND m.pos > ? AND m.seq >= ? AND m.revision > 0 ORDER BY m.pos LIMIT ?`, conversation, after, from, limit)
	if err != nil {
		return nil, err
	}
	members, err := collect(v.conn, scanMemberItem, "SELECT "+memberColumns+`, m.pos, m.tag, m.from_seq FROM members m LEFT JOIN users u ON u.id = m.user_id
		WHERE m.conversation = ? AND m.pos > ? ORDER BY m.pos LIMIT ?`, conversation, after, limit)
	if err != nil {
		return nil, err
	}
	settings, err := collect(v.conn, scanSettingsItem, "SELECT c.name, c.own_pos, c.own_tag FROM conversations c WHERE c.id = ? AND c.own_pos > ?", conversation, after)
	if err != nil {
		return nil, err
	}
	reactions, err := collect(v.conn, scanReactionsItem, `SELECT r.seq, r.counts, r.pos, r.tag FROM reacted r
		WHERE r.conversation = ? AND r.pos > ? AND r.seq >= ? ORDER BY r.pos LIMIT ?`, conversation, after, from, limit)
	return firstByPos(limit, messages, revised, members, settings, reactions), err
}

func scanMemberItem(row scanner) (chat.Item, error) {
	var m chat.Member
	var at chat.Place
	var from int64
	if err := row.Scan(append(memberDest(&m), &at.Pos, &at.Tag, &from)...); err != nil {
		return chat.Item{}, err
	}
	item, err := chat.NewItem(at, m)
	item.From = from
	return item, err
}

func scanSettingsItem(row scanner) (chat.Item, error) {
	var s chat.Settings
	var at chat.Place
	if err := row.Scan(&s.Name, &at.Pos, &at.Tag); err != nil {
		return chat.Item{}, err
	}
	return chat.NewItem(at, s)
}

func (v *view) UserPos(user string) (pos int64, err error) {
	_, err = found(v.row("SELECT pos FROM user_feeds WHERE user_id = ?", user).Scan(&pos))
	return pos, err
}

func (v *view) UserPositions(users []string) (map[string]int64, error) {
	return collectMap(v.conn, scanNumber, "SELECT user_id, pos FROM user_feeds WHERE user_id IN "+v.sql.texts, list(users))
}

func (v *view) UserChanges(user string, after int64, memberships bool, limit int) ([]chat.Item, error) {
	var mine []chat.Item
	var err error
	if memberships {
		if mine, err = collect(v.conn, scanMembershipItem, "SELECT "+membershipColumns+`, m.own_pos, m.own_tag FROM members m
			WHERE m.user_id = ? AND m.own_pos > ? ORDER BY m.own_pos LIMIT ?`, user, after, limit); err != nil {
			return nil, err
		}
	}
	contacts, err := collect(v.conn, scanContactItem, `SELECT c.contact, coalesce(nullif(u.name, ''), c.contact), coalesce(u.picture, ''), coalesce(u.guest, 0), c.gone, c.pos, c.tag
		FROM contacts c LEFT JOIN users u ON u.id = c.contact WHERE c.user_id = ? AND c.pos > ? ORDER BY c.pos LIMIT ?`, user, after, limit)
	if err != nil {
		return nil, err
	}
	own, err := collect(v.conn, scanOwnItemPlace, "SELECT "+ownItemColumns+`, o.pos, o.tag FROM own_items o
		WHERE o.user_id = ? AND o.pos > ? ORDER BY o.pos LIMIT ?`, user, after, limit)
	return firstByPos(limit, mine, contacts, own), err
}

func scanMembershipItem(row scanner) (chat.Item, error) {
	var m chat.Membership
	var at chat.Place
	if err := row.Scan(append(membershipDest(&m), &at.Pos, &at.Tag)...); err != nil {
		return chat.Item{}, err
	}
	return chat.NewItem(at, m)
}

func scanContactItem(row scanner) (chat.Item, error) {
	var c chat.Contact
	var at chat.Place
	if err := row.Scan(&c.ID, &c.Name, &c.Picture, &c.Guest, &c.Gone, &at.Pos, &at.Tag); err != nil {
		return chat.Item{}, err
	}
	return chat.NewItem(at, c)
}

func scanOwnItemPlace(row scanner) (item chat.Item, err error) {
	var name string
	err = row.Scan(&item.Type, &name, (*[]byte)(&item.Data), &item.Pos, &item.Tag)
	switch item.Type {
	case chat.ItemDraft:
		item.Conversation = name
	case chat.ItemHidden: // the id of a message
		item.Conversation, _, _ = strings.Cut(name, ".")
	}
	return item, err
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
		SELECT m.conversation, m.pos, m.tag FROM l CROSS JOIN conversations c CROSS JOIN messages m
		WHERE c.id = l.conversation AND l.pos >= c.pos - ? AND m.conversation = c.id AND m.seq >= c.last_seq - (c.pos - l.pos) AND m.seq <= l.pos
			AND m.pos = l.pos AND m.revision = 0
		UNION ALL
		SELECT m.conversation, m.pos, m.tag FROM l CROSS JOIN messages m WHERE m.conversation = l.conversation AND m.pos = l.pos AND m.revision > 0
		UNION ALL
		SELECT r.conversation, r.pos, r.tag FROM l CROSS JOIN reacted r WHERE r.conversation = l.conversation AND r.pos = l.pos
		UNION ALL
		SELECT m.conversation, m.pos, m.tag FROM l CROSS JOIN members m WHERE m.conversation = l.conversation AND m.pos = l.pos
		UNION ALL
		SELECT c.id, c.own_pos, c.own_tag FROM l CROSS JOIN conversations c WHERE c.id = l.conversation AND c.own_pos = l.pos`, list(rows), chat.MaxBehind)
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
		SELECT o.pos, o.tag FROM l CROSS JOIN own_items o WHERE o.user_id = ? AND o.pos = l.pos`, list(pos), user, user, user)
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
	if err := tx.lock(conversations); err != nil {
		return err
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
