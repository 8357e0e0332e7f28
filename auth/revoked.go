package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// TokenID names a token and says nothing of it.
type TokenID string

// idOf is the hash of what is signed: the signature of the same token may be written in more
// than one way.
func idOf(token string) TokenID {
	signed := token[:max(0, strings.LastIndexByte(token, '.'))]
	sum := sha256.Sum256([]byte(signed))
	return TokenID(hex.EncodeToString(sum[:16]))
}

// Revoked says which tokens of a user are void before they expire.
type Revoked struct {
	Until  time.Time // those issued until then: the user has signed out everywhere; zero: none
	Tokens []TokenID // and these, of sessions that were signed out
}

// Revocations returns what is revoked of those users who have revoked something.
type Revocations func(ctx context.Context, users []string) (map[string]Revoked, error)

// Voids reports whether a token is void.
//
// The times of most tokens are whole seconds. One from the second in which the user signed out
// everywhere may be from before or after: it is good, because who signs in again at once must not
// be refused. Those of that second that were in use are revoked one by one.
func (r Revoked) Voids(i Identity) bool {
	if slices.Contains(r.Tokens, i.Token) {
		return true
	}
	if r.Until.IsZero() {
		return false
	}
	if second := i.IssuedAt.Truncate(time.Second); second.Equal(i.IssuedAt) {
		return second.Before(r.Until.Truncate(time.Second))
	}
	return !i.IssuedAt.After(r.Until)
}
