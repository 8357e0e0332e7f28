package auth

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"carillon/refusal"
)

const (
	minSecret = 32         // bytes; RFC 7518 section 3.2: a key of the size of the hash or larger
	maxToken  = 8 << 10    // bytes
	maxUserID = 64         // characters
	maxName   = 128        // characters
	ownKey    = "carillon" // kid of guests' and demo users' tokens
	guestID   = "guest:"   // only tokens of our own may name such a user
)

// Identity is who a token says its bearer is.
type Identity struct {
	User     string
	Name     string
	Picture  string
	Guest    bool
	Scope    Scope
	Token    TokenID
	IssuedAt time.Time
	Expires  time.Time
}

// Scope is to what a token narrows its user. The zero Scope narrows nothing.
type Scope struct {
	Grants        []string `json:"grants"`        // what its bearer may do; nil: whatever the user may
	Conversations []string `json:"conversations"` // where; nil: in all conversations of the user
}

// Narrowed reports whether the bearer is confined to certain conversations.
func (s Scope) Narrowed() bool { return s.Conversations != nil }

// Allows reports whether the bearer may do something, as far as the token is concerned.
func (s Scope) Allows(grant string) bool { return s.Grants == nil || slices.Contains(s.Grants, grant) }

// Covers reports whether the bearer may act in a conversation, if its user may.
func (s Scope) Covers(conversation string) bool {
	return s.Conversations == nil || slices.Contains(s.Conversations, conversation)
}

// Equal reports whether two scopes allow the same. The order in their lists says nothing.
func (s Scope) Equal(o Scope) bool {
	same := func(a, b []string) bool {
		return (a == nil) == (b == nil) && slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
	}
	return same(s.Grants, o.Grants) && same(s.Conversations, o.Conversations)
}

// identity checks the claims of a token whose signature is good. Only tokens of our own may
// name guests.
func identity(c claims, ours bool) (Identity, error) {
	if err := checkUser(c.Subject); err != nil {
		return Identity{}, err
	}
	if strings.HasPrefix(c.Subject, guestID) && !ours {
		return Identity{}, refusal.New(refusal.TokenMalformed, "The token's sub may not begin with %q.", guestID)
	}
	id := Identity{
		User:    c.Subject,
		Name:    cleanName(c.Name),
		Picture: c.Picture,
		Guest:   c.Guest,
		Scope:   Scope{Grants: c.Grants, Conversations: c.Conversations},
		Expires: c.ExpiresAt.Time,
	}
	if c.IssuedAt != nil {
		id.IssuedAt = c.IssuedAt.Time
	}
	if id.Name == "" {
		id.Name = id.User
	}
	return id, nil
}

// ValidUser reports whether id may name a user: 1–64 printable characters without spaces, in
// normal form (NFC), and none that leaves no trace on the screen. So two ids that differ do
// not look the same because of how they are written; letters of two scripts still may.
func ValidUser(id string) bool {
	unfit := func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r) || Ignorable(r) // unassigned ones do not print
	}
	return id != "" && utf8.ValidString(id) && utf8.RuneCountInString(id) <= maxUserID && norm.NFC.IsNormalString(id) && !strings.ContainsFunc(id, unfit)
}

// Ignorable reports whether a character is usually not shown, such as a joiner or a filler:
// Unicode's Default_Ignorable_Code_Point, and all format characters.
func Ignorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// checkUser refuses what cannot be a user's id.
func checkUser(id string) error {
	if !ValidUser(id) {
		return refusal.New(refusal.TokenMalformed, "The token's sub must be 1–%d printable characters without spaces, in Unicode's normal form C.", maxUserID)
	}
	return nil
}

// cleanName is a name of printable characters in normal form, cut to its longest.
func cleanName(name string) string {
	name = strings.TrimSpace(norm.NFC.String(strings.Map(func(r rune) rune {
		shown := unicode.IsPrint(r) && r != unicode.ReplacementChar
		if shown && (!Ignorable(r) || unicode.Is(unicode.Variation_Selector, r)) { // which make emoji colourful
			return r
		}
		return -1
	}, name)))
	runes := []rune(name)
	return strings.TrimSpace(string(runes[:min(len(runes), maxName)]))
}
