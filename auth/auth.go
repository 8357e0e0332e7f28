// Package auth decides who a request is. Identity comes from a verified token and
// from nowhere else: no query, header or field of a client names a user.
//
// A token is a JWT. The site's backend mints it with one of several named HS256 keys
// (so that keys can be rotated) or with a key published at a JWKS URL. Guests and
// demo users get tokens of the same form, signed by keys that never leave the data
// folder.
package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"carillon/refusal"
	"carillon/settings"
)

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	config  Config
	own     []byte         // signs the tokens of guests and demo users
	jwks    *publishedKeys // nil: none
	revoked Revocations
	limits  limits
	now     func() time.Time
}

// NewVerifier checks tokens against config and against own, the secret in the data
// folder with which guests' and demo users' tokens are signed. Revoked is asked at each
// verification. The context lives as long as the verifier: it fetches the JWKS.
func NewVerifier(ctx context.Context, config Config, own []byte, revoked Revocations, log *slog.Logger) (*Verifier, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = settings.Fill(config, Defaults())
	v := &Verifier{config: config, own: own, revoked: revoked, limits: newLimits(config), now: time.Now}
	if config.JWKSURL != "" {
		v.jwks = newPublishedKeys(ctx, config.JWKSURL, log, func() time.Time { return v.now() })
	}
	return v, nil
}

type claims struct {
	jwt.RegisteredClaims
	Name    string `json:"name,omitempty"`
	Picture string `json:"picture,omitempty"`
	Guest   bool   `json:"guest,omitempty"`

	// An empty list allows nothing; one that is absent, or null, narrows nothing.
	Grants        []string `json:"grants,omitzero"`
	Conversations []string `json:"conversations,omitzero"`
}

// Verify returns whose token it is. Every way of being wrong has its own refusal.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	return v.verify(ctx, token, time.Duration(v.config.LeewaySeconds)*time.Second)
}

// guests reports whether visitors without a token may come.
func (v *Verifier) guests() bool { return v.config.Guests || v.config.Demo() }

// verify also takes a token that expired less than leeway ago.
func (v *Verifier) verify(ctx context.Context, token string, leeway time.Duration) (Identity, error) {
	if token == "" {
		return Identity{}, refusal.New(refusal.TokenMissing, "Send a token: your backend mints one for the signed-in user.")
	}
	if len(token) > maxToken {
		return Identity{}, refusal.New(refusal.TokenMalformed, "The token is longer than %d bytes.", maxToken)
	}
	c, ours, err := v.parse(ctx, token, leeway)
	if err != nil {
		return Identity{}, err
	}
	if ours && !v.config.Demo() && !strings.HasPrefix(c.Subject, guestID) {
		// A token of demo mode, in which anyone could have any name, from before there were keys.
		return Identity{}, refusalOf(jwt.ErrTokenSignatureInvalid)
	}
	id, err := identity(c, ours)
	if err != nil {
		return Identity{}, err
	}
	if ours && id.Guest && !v.guests() {
		return Identity{}, refusal.New(refusal.TokenRevoked, "This server takes no guests any more (auth.guests). Sign in.")
	}
	id.Token = idOf(token)
	revoked, err := v.revoked(ctx, []string{id.User})
	if err != nil {
		return Identity{}, fmt.Errorf("look up revocation of %s: %w", id.User, err)
	}
	if revoked[id.User].Voids(id) {
		return Identity{}, refusal.New(refusal.TokenRevoked, "This user signed out after the token was issued. Sign in again.")
	}
	return id, nil
}

// parse checks the signature and the times. Ours is true for a token that we have signed.
func (v *Verifier) parse(ctx context.Context, token string, leeway time.Duration) (c claims, ours bool, err error) {
	t, _, err := jwt.NewParser().ParseUnverified(token, &claims{})
	if err != nil {
		return c, false, refusalOf(err)
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(v.now),
	}
	kid, _ := t.Header["kid"].(string)
	if v.jwks == nil || t.Method.Alg() == "HS256" {
		_, err = jwt.NewParser(options...).ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return v.secrets(kid) })
		return c, kid == ownKey, refusalOf(err)
	}
	c, err = v.parsePublished(ctx, token, kid, t.Method.Alg(), append(options,
		jwt.WithValidMethods([]string{"RS256", "ES256", "EdDSA"}),
		jwt.WithIssuer(v.config.Issuer),
		jwt.WithAudience(v.config.Audience),
	))
	return c, false, err
}

// parsePublished checks a token against the keys of the JWKS. One without kid may have been
// signed by any of them.
func (v *Verifier) parsePublished(ctx context.Context, token, kid, alg string, options []jwt.ParserOption) (c claims, err error) {
	unknown := v.jwks.use(ctx, func(keys []jose.JSONWebKey) bool {
		var set jwt.VerificationKeySet
		for _, k := range keys {
			if (kid == "" || k.KeyID == kid) && (k.Algorithm == "" || k.Algorithm == alg) && k.Use != "enc" && k.IsPublic() {
				set.Keys = append(set.Keys, k.Key)
			}
		}
		c = claims{}
		_, err = jwt.NewParser(options...).ParseWithClaims(token, &c, func(*jwt.Token) (any, error) {
			if len(set.Keys) == 0 {
				return nil, jwt.ErrTokenSignatureInvalid
			}
			return set, nil
		})
		return kid != "" && len(set.Keys) > 0 || !errors.Is(err, jwt.ErrTokenSignatureInvalid)
	})
	if unknown != nil {
		return c, unknown
	}
	return c, refusalOf(err)
}

// secrets returns the HS256 keys that may have signed a token with this kid.
func (v *Verifier) secrets(kid string) (any, error) {
	if kid == ownKey {
		return v.own, nil
	}
	if secret, ok := v.config.Keys[kid]; ok {
		return []byte(secret), nil
	}
	if kid != "" || len(v.config.Keys) == 0 {
		return nil, jwt.ErrTokenSignatureInvalid
	}
	var set jwt.VerificationKeySet
	for _, secret := range v.config.Keys {
		set.Keys = append(set.Keys, []byte(secret))
	}
	return set, nil
}
