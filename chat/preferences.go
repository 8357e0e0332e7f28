package chat

import (
	"context"
	"slices"

	"golang.org/x/text/language"

	"carillon/refusal"
)

// defaultPreferences are those of a user who has decided nothing.
func defaultPreferences() Preferences {
	return Preferences{Presence: Everyone, Calls: Everyone, Groups: Everyone}
}

// SetPreferences changes what user has decided for all of their devices, and tells their tabs.
func (s *Service) SetPreferences(ctx context.Context, user string, change PreferencesChange) (Preferences, error) {
	if s.only != nil {
		return Preferences{}, refusal.New(refusal.NotAllowed, "This token is for certain conversations, and changes no preferences.")
	}
	if err := change.check(); err != nil {
		return Preferences{}, err
	}
	var now Preferences
	err := s.write(ctx, "", func(tx Tx) error {
		if err := tx.Lock(nil, []string{user}); err != nil {
			return err
		}
		all, err := preferencesOf(tx, []string{user})
		if err != nil {
			return err
		}
		was := all[user]
		if now = change.of(was); now == was {
			return nil
		}
		return putOwn(tx, user, preferencesName, now, false)
	})
	return now, err
}

// preferencesName is the name of the one item of its type that a user has.
const preferencesName = "all"

func (c PreferencesChange) check() error {
	for _, audience := range []*Audience{c.Presence, c.Calls, c.Groups} {
		if audience != nil && !slices.Contains([]Audience{Everyone, ContactsOnly, Nobody}, *audience) {
			return refusal.New(refusal.BadRequest, "Whom something is for is %q, %q or %q.", Everyone, ContactsOnly, Nobody)
		}
	}
	if c.BusyUntil != nil && *c.BusyUntil < 0 {
		return refusal.New(refusal.BadRequest, "A time is 0 or more.")
	}
	if c.Locale != nil && *c.Locale != "" {
		if _, err := language.Parse(*c.Locale); err != nil || len(*c.Locale) > maxLocale {
			return refusal.New(refusal.BadRequest, "A locale is a language tag such as \"pt-BR\".")
		}
	}
	return nil
}

const maxLocale = 35 // the longest tag that BCP 47 asks to be provided for (RFC 5646, section 4.4.1)

func (c PreferencesChange) of(p Preferences) Preferences {
	set(&p.Presence, c.Presence)
	set(&p.Calls, c.Calls)
	set(&p.Groups, c.Groups)
	set(&p.BusyUntil, c.BusyUntil)
	set(&p.Locale, c.Locale)
	return p
}

func set[T any](value, change *T) {
	if change != nil {
		*value = *change
	}
}

// preferencesOf returns what users have decided, also of those who have decided nothing.
func preferencesOf(v View, users []string) (map[string]Preferences, error) {
	decided, err := v.OwnItemNamed(users, ItemPreferences, preferencesName)
	if err != nil {
		return nil, err
	}
	all := make(map[string]Preferences, len(users))
	for _, user := range users {
		p := defaultPreferences()
		if item, there := decided[user]; there {
			if err := item.decode(&p); err != nil {
				return nil, err
			}
		}
		all[user] = p
	}
	return all, nil
}

// admitted returns those of users whose preference for something lets from do it.
func admitted(v View, users []string, from string, preference func(Preferences) Audience) ([]string, error) {
	if len(users) == 0 {
		return users, nil
	}
	all, err := preferencesOf(v, users)
	if err != nil {
		return nil, err
	}
	contact := map[string]bool{}
	if slices.ContainsFunc(users, func(id string) bool { return preference(all[id]) == ContactsOnly }) {
		contacts, err := v.AreContacts(users, from)
		if err != nil {
			return nil, err
		}
		for _, id := range contacts {
			contact[id] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(users), func(id string) bool {
		audience := preference(all[id])
		return audience == Nobody || audience == ContactsOnly && !contact[id]
	}), nil
}
