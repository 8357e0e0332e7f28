package chat

import (
	"fmt"
	"slices"
)

// look returns one conversation as user sees it.
func (s *Service) look(v View, user, id string) (Conversation, error) {
	seen, err := s.seenBy(v, user, []string{id})
	if err == nil && len(seen) == 0 {
		err = errNoConversation
	}
	if err != nil {
		return Conversation{}, err
	}
	list, err := s.views(v, user, seen)
	if err != nil {
		return Conversation{}, err
	}
	return list[0], nil
}

// headMembers is how many members of a group are in its head at least, if it has as many: what
// a picture of the group is made of.
const headMembers = 4

// views makes what user sees of conversations, of as many as fit into one answer.
func (s *Service) views(v View, user string, seen []Seen) ([]Conversation, error) {
	list := make([]Conversation, 0, len(seen))
	if len(seen) == 0 {
		return list, nil
	}
	members, err := someMembers(v, user, seen)
	if err != nil {
		return nil, err
	}
	var profiles []*User
	for _, h := range seen {
		profiles = membersApart(profiles, h.Kind, members[h.ID])
	}
	if err := s.show(v, user, profiles); err != nil {
		return nil, err
	}
	if err := hideLast(v, user, seen); err != nil {
		return nil, err
	}
	room := s.room()
	for _, h := range seen {
		c := Conversation{
			ID: h.ID, Kind: h.Kind, Name: h.Name, CreatedAt: h.CreatedAt, Count: h.Count,
			Members: notNil(members[h.ID]), Mine: h.Mine, MineAt: h.MineAt,
		}
		if h.Mine.State == Joined {
			c.Pos, c.Floor, c.LastSeq, c.N, c.Last = h.Pos, h.Floor, h.LastSeq, h.N, h.Last
		}
		data, err := encode(c)
		if err != nil {
			return nil, fmt.Errorf("encode conversation %s: %w", c.ID, err)
		}
		if !room.fits(len(data)) {
			break
		}
		list = append(list, c)
	}
	return list, nil
}

// someMembers returns a few members of each conversation that user has joined, among them user and
// who wrote last; of the others who has invited user.
func someMembers(v View, user string, seen []Seen) (map[string][]Member, error) {
	var joined []string
	for _, h := range seen {
		if h.Mine.State == Joined {
			joined = append(joined, h.ID)
		}
	}
	members := map[string][]Member{}
	if len(joined) > 0 {
		first, err := v.FirstMembers(joined, headMembers)
		if err != nil {
			return nil, err
		}
		members = first
	}
	var missing []Pair
	want := func(conversation, id string) {
		isThere := func(m Member) bool { return m.ID == id }
		pair := Pair{conversation, id}
		if id != "" && !slices.ContainsFunc(members[conversation], isThere) && !slices.Contains(missing, pair) {
			missing = append(missing, pair)
		}
	}
	for _, h := range seen {
		if h.Mine.State != Joined {
			want(h.ID, h.Mine.InvitedBy)
			continue
		}
		want(h.ID, user)
		if h.Last != nil {
			want(h.ID, h.Last.Sender)
		}
	}
	if len(missing) == 0 {
		return members, nil
	}
	rows, err := v.Participations(missing)
	if err != nil {
		return nil, err
	}
	more, err := asMembers(v, rows)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		members[row.Conversation] = append(members[row.Conversation], more[i])
	}
	return members, nil
}
