package auth

import (
	"strings"
	"time"
	"unicode"

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
	Grants   []string
	IssuedAt time.Time
	Expires  time.Time
}

// identity checks the claims of a token whose signature is good. Only tokens of our own may
// name guests.
func identity(c claims, ours bool) (Identity, error) {
	if err := CheckUser(c.Subject); err != nil {
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
		Grants:  c.Grants,
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

// CheckUser refuses what cannot be a user's id: 1–64 printable characters without spaces.
func CheckUser(id string) error {
	odd := func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if id == "" || len([]rune(id)) > maxUserID || strings.ContainsFunc(id, odd) {
		return refusal.New(refusal.TokenMalformed, "The token's sub must be 1–%d printable characters without spaces.", maxUserID)
	}
	return nil
}

// cleanName is a name of printable characters, cut to its longest.
func cleanName(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, name))
	runes := []rune(name)
	return string(runes[:min(len(runes), maxName)])
}
