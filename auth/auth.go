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
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"

	"carillon/refusal"
	"carillon/settings"
)

// Config of the sign-in. Zero fields mean [Defaults].
type Config struct {
	// Keys maps a name to a shared HS256 secret of at least 32 bytes. A token names its key
	// in the header field "kid"; without one every key is tried. Empty, with no JWKSURL: demo sign-in.
	Keys map[string]string `toml:"keys"`
	// JWKSURL publishes public keys (RS256, ES256, EdDSA). Empty: none.
	JWKSURL string `toml:"jwks_url"`
	// Guests lets visitors without a token ask for one.
	Guests bool `toml:"guests"`
	// GuestTokenSeconds is how long a guest's token is good, and for how long after that it still renews.
	GuestTokenSeconds int `toml:"guest_token_seconds"`
	// GuestsPerMinute is how many guests one address may create in a minute.
	GuestsPerMinute int `toml:"guests_per_minute"`
	// LeewaySeconds is by how much clocks may differ.
	LeewaySeconds int `toml:"leeway_seconds"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{GuestTokenSeconds: 30 * 24 * 3600, GuestsPerMinute: 10, LeewaySeconds: 30}
}

// Demo reports whether anyone may sign in under any name.
func (c Config) Demo() bool { return len(c.Keys) == 0 && c.JWKSURL == "" }

// Validate says which key of the configuration is wrong.
func (c Config) Validate() error {
	for name, secret := range c.Keys {
		if name == ownKey {
			return fmt.Errorf("keys.%s: this name is ours, choose another", name)
		}
		if len(secret) < minSecret {
			return fmt.Errorf("keys.%s: %d bytes, need at least %d; make one with: openssl rand -base64 32", name, len(secret), minSecret)
		}
	}
	return settings.NonNegative(c)
}

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

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	config     Config
	own        []byte
	jwks       oidc.KeySet
	validAfter func(ctx context.Context, user string) (time.Time, error)
	now        func() time.Time
}

// NewVerifier checks tokens against config and against own, the secret in the data
// folder with which guests' and demo users' tokens are signed. Tokens issued at or
// before validAfter(user) have been revoked. The context lives as long as the verifier:
// it fetches the JWKS.
func NewVerifier(ctx context.Context, config Config, own []byte, validAfter func(context.Context, string) (time.Time, error)) (*Verifier, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = settings.Fill(config, Defaults())
	v := &Verifier{config: config, own: own, validAfter: validAfter, now: time.Now}
	if config.JWKSURL != "" {
		v.jwks = oidc.NewRemoteKeySet(ctx, config.JWKSURL)
	}
	return v, nil
}

type claims struct {
	jwt.RegisteredClaims
	Name    string   `json:"name,omitempty"`
	Picture string   `json:"picture,omitempty"`
	Guest   bool     `json:"guest,omitempty"`
	Grants  []string `json:"grants,omitempty"`
}

// Verify returns whose token it is. Every way of being wrong has its own refusal.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	return v.verify(ctx, token, time.Duration(v.config.LeewaySeconds)*time.Second)
}

func (v *Verifier) verify(ctx context.Context, token string, leeway time.Duration) (Identity, error) {
	if token == "" {
		return Identity{}, refusal.New(refusal.TokenMissing, "Send a token: your backend mints one for the signed-in user.")
	}
	if len(token) > maxToken {
		return Identity{}, refusal.New(refusal.TokenMalformed, "The token is longer than %d bytes.", maxToken)
	}
	c, byUs, err := v.parse(ctx, token, leeway)
	if err != nil {
		return Identity{}, err
	}
	if byUs && !v.config.Demo() && !strings.HasPrefix(c.Subject, guestID) {
		// Of a demo user, from before this folder got keys: they were whom they liked.
		return Identity{}, refused(jwt.ErrTokenSignatureInvalid)
	}
	id, err := identity(c, byUs)
	if err != nil {
		return Identity{}, err
	}
	revoked, err := v.validAfter(ctx, id.User)
	if err != nil {
		return Identity{}, fmt.Errorf("look up revocation of %s: %w", id.User, err)
	}
	if !id.IssuedAt.After(revoked) && !revoked.IsZero() {
		return Identity{}, refusal.New(refusal.TokenRevoked, "This user signed out everywhere after the token was issued. Sign in again.")
	}
	return id, nil
}

func (v *Verifier) parse(ctx context.Context, token string, leeway time.Duration) (c claims, byUs bool, err error) {
	t, _, err := jwt.NewParser().ParseUnverified(token, &claims{})
	if err != nil {
		return c, false, refused(err)
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
		return c, kid == ownKey, refused(err)
	}
	payload, err := v.jwks.VerifySignature(ctx, token)
	if err != nil {
		return c, false, refused(jwt.ErrTokenSignatureInvalid)
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return c, false, refused(jwt.ErrTokenMalformed)
	}
	return c, false, refused(jwt.NewValidator(options...).Validate(&c))
}

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

func identity(c claims, byUs bool) (Identity, error) {
	if err := CheckUser(c.Subject); err != nil {
		return Identity{}, err
	}
	if strings.HasPrefix(c.Subject, guestID) && !byUs {
		return Identity{}, refusal.New(refusal.TokenMalformed, "The token's sub may not begin with %q.", guestID)
	}
	id := Identity{
		User:    c.Subject,
		Name:    clean(c.Name),
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

func clean(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, name))
	runes := []rune(name)
	return string(runes[:min(len(runes), maxName)])
}

// refusals in the order of their weight: a token that is both expired and forged is forged.
var refusals = []struct {
	is      error
	code    refusal.Code
	message string
}{
	{jwt.ErrTokenSignatureInvalid, refusal.TokenWrongKey, "The token is signed by a key that this server does not know. Compare auth.keys or auth.jwks_url with your backend's key and its name (kid)."},
	{jwt.ErrTokenMalformed, refusal.TokenMalformed, "This is not a JWT."},
	{jwt.ErrTokenExpired, refusal.TokenExpired, "The token has expired. Mint a new one."},
	{jwt.ErrTokenNotValidYet, refusal.TokenNotYet, "The token is not valid yet. Compare the clocks of your backend and this server."},
	{jwt.ErrTokenUsedBeforeIssued, refusal.TokenNotYet, "The token was issued in the future. Compare the clocks of your backend and this server."},
}

func refused(err error) error {
	if err == nil {
		return nil
	}
	for _, r := range refusals {
		if errors.Is(err, r.is) {
			return refusal.New(r.code, "%s", r.message)
		}
	}
	return refusal.New(refusal.TokenMalformed, "The token lacks what it needs: sub, exp, and a signature by HS256 or by a key of auth.jwks_url.")
}
