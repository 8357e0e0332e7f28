package store

import "carillon/chat"

// SharingGroup goes, by way of members mine and theirs, from whoever has fewer of them.
func (v *view) SharingGroup(user string, others []string) ([]string, error) {
	const (
		ofTheirs = "SELECT 1 FROM members theirs CROSS JOIN members mine "
		ofMine   = "SELECT 1 FROM members mine CROSS JOIN members theirs "
		on       = ` WHERE theirs.user_id = l.value AND theirs.state = 'joined'
			AND mine.conversation = theirs.conversation AND mine.user_id = asker.value AND mine.state = 'joined'
			AND EXISTS (SELECT 1 FROM conversations c WHERE c.id = theirs.conversation AND c.kind = 'group')`
	)
	return collect(v.conn, scanString, "SELECT l.value FROM (SELECT ? AS value) asker CROSS JOIN "+v.sql.texts+` l WHERE
		CASE WHEN (SELECT count(*) FROM (SELECT 1 FROM members m WHERE m.user_id = l.value LIMIT 501) few) <= 500
		THEN EXISTS (`+ofTheirs+on+") ELSE EXISTS ("+ofMine+on+") END", user, list(others))
}

func (v *view) SharingAnyOf(user string, conversations, others []string) ([]string, error) {
	mine, err := collect(v.conn, scanString, "SELECT m.conversation FROM "+v.sql.texts+` l CROSS JOIN members m
		WHERE m.conversation = l.value AND m.user_id = ? AND m.state = 'joined'`, list(conversations), user)
	if err != nil || len(mine) == 0 {
		return nil, err
	}
	return collect(v.conn, scanString, "SELECT o.value FROM "+v.sql.texts+" o WHERE EXISTS (SELECT 1 FROM "+v.sql.texts+` l CROSS JOIN members m
		WHERE m.conversation = l.value AND m.user_id = o.value AND m.state = 'joined')`, list(others), list(mine))
}

const membershipColumns = "m.conversation, m.state, m.role, m.invited_by, m.from_seq, m.read_seq, m.read_n, m.own_ahead, m.missed, m.muted_until, m.archived, m.favourite"

func membershipDest(m *chat.Membership) []any {
	return []any{&m.Conversation, &m.State, &m.Role, &m.InvitedBy, &m.FromSeq, &m.Read, &m.ReadN, &m.OwnAhead, &m.Missed, &m.MutedUntil, &m.Archived, &m.Favourite}
}

const participationColumns = membershipColumns + ", m.user_id, m.delivered, m.missed_seq, m.pos, m.tag, m.own_pos, m.own_tag"

func scanParticipation(row scanner) (p chat.Participation, err error) {
	err = row.Scan(append(membershipDest(&p.Membership), &p.User, &p.Delivered, &p.MissedSeq, &p.InFeed.Pos, &p.InFeed.Tag, &p.InOwn.Pos, &p.InOwn.Tag)...)
	return p, err
}

func (v *view) Participation(conversation, user string) (chat.Participation, bool, error) {
	p, err := scanParticipation(v.row("SELECT "+participationColumns+" FROM members m WHERE m.conversation = ? AND m.user_id = ?", conversation, user))
	ok, err := found(err)
	return p, ok, err
}

func (v *view) Participations(pairs []chat.Pair) ([]chat.Participation, error) {
	return collect(v.conn, scanParticipation, v.participations(), pairList(pairs))
}

// participations selects participationColumns of pairs, see pairList.
func (v *view) participations() string {
	return "SELECT " + participationColumns + ` FROM (SELECT value->>0 AS conversation, value->>1 AS user_id FROM ` + v.sql.rows + `) l
		CROSS JOIN members m WHERE m.conversation = l.conversation AND m.user_id = l.user_id`
}

func pairList(pairs []chat.Pair) string {
	rows := make([][2]string, len(pairs))
	for i, p := range pairs {
		rows[i] = [2]string{p.Conversation, p.User}
	}
	return list(rows)
}

func (v *view) Invitations(users []string, from string) ([]chat.Invitations, error) {
	scan := func(row scanner) (i chat.Invitations, err error) {
		err = row.Scan(&i.User, &i.All, &i.From)
		return i, err
	}
	return collect(v.conn, scan, "SELECT m.user_id, count(*), count(*) FILTER (WHERE m.invited_by = ?) FROM "+v.sql.texts+` l CROSS JOIN members m
		WHERE m.user_id = l.value AND m.state = 'invited' GROUP BY m.user_id ORDER BY m.user_id`, from, list(users))
}

func scanReader(row scanner) (r chat.Reader, err error) {
	err = row.Scan(&r.User, &r.From)
	return r, err
}

func (v *view) Readers(conversation string) ([]chat.Reader, error) {
	return collect(v.conn, scanReader, "SELECT user_id, from_seq FROM members WHERE conversation = ? AND state = 'joined' ORDER BY user_id", conversation)
}

func (v *view) ReadersAmong(conversation string, users []string) ([]chat.Reader, error) {
	return collect(v.conn, scanReader, "SELECT m.user_id, m.from_seq FROM "+v.sql.texts+` l CROSS JOIN members m
		WHERE m.conversation = ? AND m.user_id = l.value AND m.state = 'joined'`, list(users), conversation)
}

// LargeGroups goes from the large conversations, unless they are so many that the user has fewer.
func (v *view) LargeGroups(user string) ([]string, error) {
	var n int
	if err := v.row("SELECT count(*) FROM (SELECT 1 FROM conversations WHERE large = 1 LIMIT ?) few", manyConversations+1).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	query := `SELECT c.id FROM conversations c CROSS JOIN members m WHERE c.large = 1 AND m.conversation = c.id AND m.user_id = ? AND m.state = 'joined'`
	if n > manyConversations {
		query = `SELECT m.conversation FROM members m CROSS JOIN conversations c WHERE m.user_id = ? AND m.state = 'joined' AND c.id = m.conversation AND c.large = 1`
	}
	return collect(v.conn, scanString, query, user)
}

func (v *view) Joined(conversation string, users []string) ([]string, error) {
	return collect(v.conn, scanString, "SELECT m.user_id FROM "+v.sql.texts+` l CROSS JOIN members m
		WHERE m.conversation = ? AND m.user_id = l.value AND m.state = 'joined'`, list(users), conversation)
}

// memberColumns use the id as the name of a user who has never signed in.
const memberColumns = "m.user_id, coalesce(nullif(u.name, ''), m.user_id), coalesce(u.picture, ''), coalesce(u.guest, 0), m.role, m.state, m.delivered, m.read_seq"

func memberDest(m *chat.Member) []any {
	return []any{&m.ID, &m.Name, &m.Picture, &m.Guest, &m.Role, &m.State, &m.Delivered, &m.Read}
}

func scanMember(row scanner) (m chat.Member, err error) {
	err = row.Scan(memberDest(&m)...)
	return m, err
}

func (v *view) Members(conversation, after string, limit int) ([]chat.Member, error) {
	return collect(v.conn, scanMember, "SELECT "+memberColumns+` FROM members m LEFT JOIN users u ON u.id = m.user_id
		WHERE m.conversation = ? AND m.user_id > ? AND m.state <> 'gone' ORDER BY m.user_id LIMIT ?`, conversation, after, limit)
}

func (v *view) FirstMembers(conversations []string, limit int) (map[string][]chat.Member, error) {
	first := map[string][]chat.Member{}
	err := v.each(func(row scanner) error {
		var conversation string
		var m chat.Member
		err := row.Scan(append([]any{&conversation}, memberDest(&m)...)...)
		first[conversation] = append(first[conversation], m)
		return err
	}, v.sql.firstMembers, list(conversations), limit)
	return first, err
}

func (v *view) CountMarks(conversation string, from int64) ([]chat.MarkedCount, error) {
	scan := func(row scanner) (c chat.MarkedCount, err error) {
		err = row.Scan(&c.Delivered, &c.Read, &c.Members)
		return c, err
	}
	return collect(v.conn, scan, `SELECT marks.delivered, marks.read_seq, count(*) FROM (
			SELECT CASE WHEN delivered < ? THEN ? ELSE delivered END AS delivered, CASE WHEN read_seq < ? THEN ? ELSE read_seq END AS read_seq
			FROM members WHERE conversation = ? AND state = 'joined') marks
		GROUP BY marks.delivered, marks.read_seq`, from, from, from, from, conversation)
}

func (tx *tx) PutParticipations(conversation string, rows []chat.Participation) (h chat.Head, err error) {
	users, values, joined := make([]string, len(rows)), make([][]any, len(rows)), 0
	for i, p := range rows {
		users[i] = p.User
		values[i] = []any{p.User, p.State, p.Role, p.InvitedBy, p.FromSeq, p.Delivered, p.Read, p.ReadN, p.OwnAhead, p.Missed, p.MissedSeq,
			p.InFeed.Pos, int64(p.InFeed.Tag), p.InOwn.Pos, int64(p.InOwn.Tag)}
		if p.State == chat.Joined {
			joined++
		}
	}
	were, err := tx.Joined(conversation, users)
	if err != nil {
		return h, err
	}
	err = tx.putRows(len(rows), `INSERT INTO members (conversation, user_id, state, role, invited_by, from_seq, delivered, read_seq, read_n, own_ahead,
			missed, missed_seq, pos, tag, own_pos, own_tag)
		SELECT ?, value->>0, value->>1, value->>2, value->>3, CAST(value->>4 AS BIGINT), CAST(value->>5 AS BIGINT), CAST(value->>6 AS BIGINT),
			CAST(value->>7 AS BIGINT), CAST(value->>8 AS BIGINT), CAST(value->>9 AS BIGINT), CAST(value->>10 AS BIGINT), CAST(value->>11 AS BIGINT),
			CAST(value->>12 AS BIGINT), CAST(value->>13 AS BIGINT), CAST(value->>14 AS BIGINT)
		FROM `+tx.sql.rows+` WHERE true
		ON CONFLICT (conversation, user_id) DO UPDATE SET state = excluded.state, role = excluded.role, invited_by = excluded.invited_by,
			from_seq = excluded.from_seq, delivered = excluded.delivered, read_seq = excluded.read_seq, read_n = excluded.read_n,
			own_ahead = excluded.own_ahead, missed = excluded.missed, missed_seq = excluded.missed_seq, pos = excluded.pos, tag = excluded.tag,
			own_pos = excluded.own_pos, own_tag = excluded.own_tag`, conversation, list(values))
	if err != nil {
		return h, err
	}
	h, err = tx.next(conversation, func(h *chat.Head) {
		h.Version++
		h.Count += joined - len(were)
	})
	for _, p := range rows {
		tx.held.putMember(p)
	}
	return h, err
}

var (
	memberKey     = []string{"conversation", "user_id"}
	updatedMarks  = []string{"delivered", "read_seq", "read_n", "own_ahead", "missed", "missed_seq"}
	updatedPlaces = []string{"own_pos", "own_tag"}
)

func (tx *tx) PutMarks(rows []chat.Participation) error {
	values := make([][]any, len(rows))
	for i, p := range rows {
		values[i] = []any{p.Delivered, p.Read, p.ReadN, p.OwnAhead, p.Missed, p.MissedSeq, p.Conversation, p.User}
		tx.held.putMarks(p)
	}
	return tx.update("members", updatedMarks, memberKey, values)
}

func (tx *tx) PutOwnPlaces(rows []chat.Participation) error {
	values := make([][]any, len(rows))
	for i, p := range rows {
		values[i] = []any{p.InOwn.Pos, int64(p.InOwn.Tag), p.Conversation, p.User}
		tx.held.change(p, func(known *chat.Participation) { known.InOwn = p.InOwn })
	}
	return tx.update("members", updatedPlaces, memberKey, values)
}

func (tx *tx) PutMine(p chat.Participation) error {
	tx.held.change(p, func(known *chat.Participation) {
		known.MutedUntil, known.Archived, known.Favourite = p.MutedUntil, p.Archived, p.Favourite
	})
	return tx.put("UPDATE members SET muted_until = ?, archived = ?, favourite = ? WHERE conversation = ? AND user_id = ?",
		p.MutedUntil, p.Archived, p.Favourite, p.Conversation, p.User)
}
