package chat

import (
	"context"
	"slices"
	"strings"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"carillon/auth"
	"carillon/limit"
	"carillon/refusal"
)

// Seen keeps the profile that came with a user's token, unless the user has written too much
// already: two tokens with different names could be said in turn. It returns the profile as
// others see it, and whether that has changed for those who see it now.
func (s *Service) Seen(ctx context.Context, u User) (_ User, changed bool, _ error) {
	u, err := s.cleanProfile(u)
	if err != nil {
		return u, false, err
	}
	var known User
	var found bool
	given := u.Name
	err = s.store.Read(ctx, func(v View) (err error) {
		if u.Name, err = s.nameFor(v, u, given); err != nil {
			return err
		}
		known, found, err = v.User(u.ID)
		return err
	})
	if err != nil || found && known == u {
		return u, false, err
	}
	if found && s.budgets.bytes.Take(limit.PayerOf(ctx), 0, s.now()) != nil {
		return known, false, nil // who has written much may come in, under the profile they had
	}
	written := 0
	err = s.store.Write(ctx, "", func(tx Tx) (err error) {
		if u.Name, err = s.nameFor(tx, u, given); err != nil {
			return err
		}
		old, _, err := tx.User(u.ID)
		if changed = err == nil && old != u; !changed {
			return err
		}
		err = tx.PutUser(u)
		written = tx.Written()
		return err
	})
	s.budgets.bytes.Charge(limit.PayerOf(ctx), written, s.now())
	return u, changed && err == nil, err
}

// guestMark follows the name of a guest whose name is also that of a user.
const guestMark = " (guest)"

// nameFor is what a user is called. A guest chooses any name, so it may not be one under
// which others know somebody whose name the site vouches for, nor the id of somebody whom the
// configuration names: they may not have signed in yet, and are called as their id until then.
func (s *Service) nameFor(v View, u User, name string) (string, error) {
	if !u.Guest {
		return name, nil
	}
	taken, err := s.reserved.has(name), error(nil)
	if !taken {
		taken, err = v.NameTaken(name)
	}
	if taken {
		name = shorten(name, s.cfg.NameBytes-len(guestMark)) + guestMark
	}
	return name, err
}

// LookAlike holds two keys of a name. Names that look the same have the first or the second
// in common: they differ in case, width, spaces and what is not shown, or in letters that look
// alike, such as those of two scripts.
type LookAlike struct{ Folded, Drawn string }

// LookAlikes are the keys of a name. In the first, case is folded before letters that look
// alike become one, so a Cyrillic А is an a. In the second it is folded after, so a capital I
// is an l.
//
// "[...] two strings X and Y are confusable if skeleton(X) = skeleton(Y)"
// https://www.unicode.org/reports/tr39/#Confusable_Detection
func LookAlikes(name string) LookAlike {
	return LookAlike{
		Folded: confusable.Skeleton(foldName(name)),
		Drawn:  foldName(confusable.Skeleton(foldWidth(name))),
	}
}

// names are the keys of some names, see LookAlike.
type names struct{ folded, drawn map[string]bool }

// reservedNames are those that no guest may have, whoever has signed in so far: the ids that the
// configuration names.
func (r Reach) reservedNames() names {
	n := names{folded: map[string]bool{}, drawn: map[string]bool{}}
	for _, id := range slices.Concat(r.Guests, r.Known) {
		if id == everyID {
			continue
		}
		keys := LookAlikes(id)
		n.folded[keys.Folded], n.drawn[keys.Drawn] = true, true
	}
	delete(n.folded, "") // of what has no letters: every such name would be the same
	delete(n.drawn, "")
	return n
}

// has reports whether a name looks like one of them.
func (n names) has(name string) bool {
	keys := LookAlikes(name)
	return n.folded[keys.Folded] || n.drawn[keys.Drawn]
}

// foldWidth makes the letters of other widths and styles the ordinary ones, in their case.
func foldWidth(name string) string { return norm.NFKC.String(shown(name)) }

// foldName is what nicknames are compared by.
//
// "[...] comparison of nicknames" https://www.rfc-editor.org/rfc/rfc8266#section-2.4
func foldName(name string) string {
	name = shown(name)
	if key, err := precis.Nickname.CompareKey(name); err == nil {
		return key
	}
	return strings.ToLower(name) // it holds what a nickname may not
}

// shown is a name without what leaves no trace on the screen.
func shown(name string) string {
	return strings.Map(func(r rune) rune {
		if auth.Ignorable(r) {
			return -1
		}
		return r
	}, name)
}

// cleanProfile corrects the profile in a token. A name that is too long must not keep its
// user out.
func (s *Service) cleanProfile(u User) (User, error) {
	if err := checkUser(u.ID); err != nil {
		return u, err
	}
	name, err := cleanName(u.Name, s.cfg.NameBytes)
	if refusal.Is(err, refusal.TooLarge) {
		name, err = cleanName(shorten(u.Name, s.cfg.NameBytes), s.cfg.NameBytes)
	}
	if err != nil {
		return u, err
	}
	u.Name = name
	if u.Name == "" {
		u.Name = u.ID
	}
	u.Picture = cleanPicture(u.Picture)
	return u, nil
}

// shorten cuts s between two characters.
func shorten(s string, limit int) string {
	end := 0
	for i, r := range s {
		if i+len(string(r)) > limit {
			break
		}
		end = i + len(string(r))
	}
	return s[:end]
}
