package auth

import (
	"fmt"

	"carillon/settings"
)

// Config of the sign-in. Zero fields mean [Defaults].
type Config struct {
	// Keys maps a name to a shared HS256 secret of at least 32 bytes. A token names its key
	// in the header field "kid"; without one every key is tried. Empty, with no JWKSURL: demo sign-in.
	Keys map[string]string `toml:"keys"`
	// JWKSURL publishes public keys (RS256, ES256, EdDSA). Empty: none.
	JWKSURL string `toml:"jwks_url"`
	// Secret signs the tokens of guests and demo users, at least 32 bytes. Nodes that share a database
	// must have the same. Empty: auth.secret in the data folder, made at the first start.
	Secret string `toml:"secret"`
	// Issuer is the iss that tokens signed by a key of JWKSURL must have. Empty: no JWKSURL.
	Issuer string `toml:"issuer"`
	// Audience must be in their aud: what your identity provider calls this site. Empty: no JWKSURL.
	Audience string `toml:"audience"`
	// Guests lets visitors without a token ask for one; [reach] guests then says whom they may
	// reach. When it is turned off, the guests there are cannot come back.
	Guests bool `toml:"guests"`
	// GuestTokenSeconds is how long a guest's token is good, and for how long after that it still renews.
	GuestTokenSeconds int `toml:"guest_token_seconds"`
	// GuestsPerMinute is how many guests one address (IPv6: one /64) may make in a minute, and how
	// often its guests may renew their tokens. All may come at once: a class of 40 behind one
	// address opens the page in two browsers each, and half of them renew. More guests are worth
	// nothing to an attacker, since what they may do is bounded for all guests of one address
	// together: signaling.rates, chat.rates.guest_address_bytes,
	// call.guest_address_rings_per_minute, media.quota.
	GuestsPerMinute int `toml:"guests_per_minute"`
	// AttemptsPerSecond is how many attempts to sign in that fail one address (IPv6: one /64) may
	// make in a second: wrong tokens, connections that say no hello. Five times as many may come
	// at once. Attempts that succeed do not count.
	AttemptsPerSecond int `toml:"attempts_per_second"`
	// LeewaySeconds is by how much clocks may differ.
	LeewaySeconds int `toml:"leeway_seconds"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{GuestTokenSeconds: 30 * 24 * 3600, GuestsPerMinute: 120, AttemptsPerSecond: 100, LeewaySeconds: 30}
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
	if c.Secret != "" && len(c.Secret) < minSecret {
		return fmt.Errorf("secret: %d bytes, need at least %d; make one with: openssl rand -base64 32", len(c.Secret), minSecret)
	}
	switch {
	case c.JWKSURL != "" && c.Issuer == "":
		return fmt.Errorf("issuer: set it to the iss of your identity provider's tokens; without it whoever else its keys serve could sign in here (auth.jwks_url)")
	case c.JWKSURL != "" && c.Audience == "":
		return fmt.Errorf("audience: set it to what your identity provider writes into aud for this site; without it the tokens of every other site of the provider would be good here (auth.jwks_url)")
	case c.JWKSURL == "" && c.Issuer != "":
		return fmt.Errorf("issuer: only tokens signed by a key of auth.jwks_url are asked for it, and that is not set")
	case c.JWKSURL == "" && c.Audience != "":
		return fmt.Errorf("audience: only tokens signed by a key of auth.jwks_url are asked for it, and that is not set")
	}
	return settings.NonNegative(c)
}
