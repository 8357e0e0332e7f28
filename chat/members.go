package chat

import "context"

// MemberPage has members of a conversation by id, as of the pos of its feed. Next is empty after
// the last page.
type MemberPage struct {
	Members []Member
	Next    string
	Pos     int64
}

// Members returns a page of the members of a conversation, those after an id, with whom is invited.
func (s *Service) Members(ctx context.Context, user, conversation, after string, limit int) (page MemberPage, err error) {
	if err := checkCursor(after); err != nil {
		return page, err
	}
	limit = s.PageSize(limit)
	err = s.store.Read(ctx, func(v View) error {
		if _, err := s.access(v, conversation, user); err != nil {
			return err
		}
		h, _, err := v.Head(conversation)
		if err != nil {
			return err
		}
		members, err := v.Members(conversation, after, limit+1)
		if err != nil {
			return err
		}
		if err := s.showMembers(v, user, h.Kind, members); err != nil {
			return err
		}
		page = MemberPage{Pos: h.Pos, Members: []Member{}}
		room := s.room()
		for i, m := range members {
			if i == limit || !room.fits(userBytes(m.User)+itemBytes) {
				page.Next = members[i-1].ID
				break
			}
			page.Members = append(page.Members, m)
		}
		return nil
	})
	return page, err
}

// asMembers makes of rows what the other members see.
func asMembers(v View, rows []Participation) ([]Member, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.User
	}
	profiles, err := profilesOf(v, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Member, len(rows))
	for i, row := range rows {
		list[i] = Member{User: profiles[row.User], Role: row.Role, State: row.State, Marks: Marks{Delivered: row.Delivered, Read: row.Read}}
	}
	return list, nil
}
