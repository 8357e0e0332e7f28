package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carillon/refusal"
)

// Times in our tokens are exact to the millisecond: with whole seconds, whoever signs out
// everywhere and in again at once would have a token from before. RFC 7519 section 2 allows it.
func init() { jwt.TimePrecision = time.Millisecond }

// Mint signs a token for a user with the first key of the configuration by name, or in
// demo mode with our own: what a site's backend does, for the command line and for tests.
func (v *Verifier) Mint(user, name string, ttl time.Duration) (string, error) {
	return v.MintNarrowed(user, name, Scope{}, ttl)
}

// MintNarrowed is Mint for a token that narrows its user.
func (v *Verifier) MintNarrowed(user, name string, to Scope, ttl time.Duration) (string, error) {
	if err := checkUser(user); err != nil {
		return "", err
	}
	if strings.HasPrefix(user, guestID) {
		return "", refusal.New(refusal.BadRequest, "%q is for guests, choose another name.", guestID)
	}
	kid, key := ownKey, v.own
	if names := slices.Sorted(maps.Keys(v.config.Keys)); len(names) > 0 {
		kid, key = names[0], []byte(v.config.Keys[names[0]])
	} else if !v.config.Demo() {
		return "", refusal.New(refusal.NotAllowed, "This server knows only public keys (auth.jwks_url). Mint tokens where the private key is, or add one to auth.keys.")
	}
	return v.sign(claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: user}, Name: name,
		Grants: to.Grants, Conversations: to.Conversations,
	}, kid, key, ttl)
}

// MintGuest makes a new guest, whose id nobody can guess.
func (v *Verifier) MintGuest(name string) (token string, id Identity, err error) {
	c := claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: guestID + strings.ToLower(rand.Text())},
		Name:             cleanName(name),
		Guest:            true,
	}
	if c.Name == "" {
		c.Name = "Guest"
	}
	return v.signGuest(c)
}

// RenewGuest gives the same guest a new token for one that is good, or was until recently: a
// guest has nothing but the token, and whoever comes back once a month stays the same user.
func (v *Verifier) RenewGuest(ctx context.Context, token string) (renewed string, id Identity, err error) {
	id, err = v.verify(ctx, token, v.guestTTL())
	if err != nil {
		return "", Identity{}, err
	}
	if !id.Guest || !strings.HasPrefix(id.User, guestID) {
		return "", Identity{}, refusal.New(refusal.NotAllowed, "Only guests are renewed here. Ask your site for a new token.")
	}
	return v.signGuest(claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: id.User},
		Name:             id.Name,
		Guest:            true,
	})
}

func (v *Verifier) signGuest(c claims) (token string, id Identity, err error) {
	token, err = v.sign(c, ownKey, v.own, v.guestTTL())
	return token, Identity{User: c.Subject, Name: c.Name, Guest: true}, err
}

func (v *Verifier) guestTTL() time.Duration {
	return time.Duration(v.config.GuestTokenSeconds) * time.Second
}

func (v *Verifier) sign(c claims, kid string, key []byte, ttl time.Duration) (string, error) {
	now := v.now()
	c.IssuedAt, c.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(ttl))
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	t.Header["kid"] = kid
	signed, err := t.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign token for %s: %w", c.Subject, err)
	}
	return signed, nil
}
