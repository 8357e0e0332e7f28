package config

import (
	"time"

	"carillon/settings"
)

// ICE is the TURN servers of others, beside our own or (with turn.off) instead of it.
type ICE struct {
	// URLs of STUN and TURN servers, as turns:turn.example.com:443?transport=tcp. Empty: none.
	URLs []string `toml:"urls"`
	// Secret signs short-lived credentials for them, as coturn's static-auth-secret. Empty: they need none.
	Secret string `toml:"secret"`
	// CredentialSeconds is how long one is good.
	CredentialSeconds int `toml:"credential_seconds"`
}

func (i ICE) validate() error { return settings.NonNegative(i) }

// TTL of a credential.
func (i ICE) TTL() time.Duration { return time.Duration(i.CredentialSeconds) * time.Second }
