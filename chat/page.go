package chat

import "fmt"

// PageSize returns how many items an answer may hold when a client asks for limit.
func (s *Service) PageSize(limit int) int {
	if limit <= 0 || limit > s.cfg.PageSize {
		return s.cfg.PageSize
	}
	return limit
}

// itemBytes is about what an item has beside its data.
const itemBytes = 100

// room is what is left of an answer, see Config.PageBytes.
type room struct {
	left  int
	begun bool
}

func (s *Service) room() room { return room{left: s.cfg.PageBytes} }

// fits takes n bytes if there is room for them. The first thing always fits, so that whoever
// pages gets on.
func (r *room) fits(n int) bool {
	if r.begun && n > r.left {
		return false
	}
	r.begun = true
	r.left -= n
	return true
}

// cut returns how many of the first limit items fit into one answer with the profiles of whom
// they name, and these profiles. Beside is how many bytes come with the message of a seq.
func (s *Service) cut(v View, items []Item, limit int, beside map[int64]int) (n int, users []User, err error) {
	items = items[:min(limit, len(items))]
	var ids []string
	named := map[string]bool{}
	for _, item := range items {
		if item.Type == ItemMessage && !named[item.User] {
			named[item.User] = true
			ids = append(ids, item.User)
		}
	}
	profiles, err := profilesOf(v, ids)
	if err != nil {
		return 0, nil, err
	}
	users = []User{}
	room := s.room()
	for i, item := range items {
		size := len(item.Data) + itemBytes + beside[item.Seq]
		sender := item.Type == ItemMessage && named[item.User]
		if sender {
			size += userBytes(profiles[item.User])
		}
		if !room.fits(size) {
			return i, users, nil
		}
		if sender {
			users = append(users, profiles[item.User])
			named[item.User] = false
		}
	}
	return len(items), users, nil
}

// profilesOf returns what is known of users, by id. Who was never seen is called as the id.
func profilesOf(v View, ids []string) (map[string]User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := v.Users(ids)
	if err != nil {
		return nil, err
	}
	profiles := make(map[string]User, len(ids))
	for _, id := range ids {
		profiles[id] = User{ID: id, Name: id}
	}
	for _, u := range list {
		profiles[u.ID] = u
	}
	return profiles, nil
}

// userPage returns what user is shown of others, as many as fit into one answer of limit, and after
// whom the next page begins. There is one more of them than limit if there are more.
func (s *Service) userPage(v View, user string, ids []string, limit int) (page []User, next string, err error) {
	known, err := profilesOf(v, ids)
	if err != nil {
		return nil, "", err
	}
	profiles := make([]*User, len(ids))
	for i, id := range ids {
		u := known[id]
		profiles[i] = &u
	}
	if err := s.show(v, user, profiles); err != nil {
		return nil, "", err
	}
	room := s.room()
	for i, u := range profiles {
		if i == limit || !room.fits(userBytes(*u)) {
			return page, ids[i-1], nil
		}
		page = append(page, *u)
	}
	return page, "", nil
}

// userBytes is how many bytes a profile has in an answer.
func userBytes(u User) int {
	data, err := encode(u)
	if err != nil {
		panic(fmt.Sprintf("chat: encode profile %s: %v", u.ID, err)) // it has nothing that cannot be encoded
	}
	return len(data)
}

// notNil makes a list that is never null in JSON.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
