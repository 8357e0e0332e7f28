package config

import (
	"cmp"
	"fmt"
	"time"
)

// ICE is the TURN servers of others, beside our own or (with turn.off) instead of it.
type ICE struct {
	// URLs of STUN and TURN servers, as turns:turn.example.com:443?transport=tcp. Empty: none.
	URLs []string `toml:"urls"`
	// Secret signs short-lived credentials for them, as coturn's static-auth-secret. Empty: they need none.
	Secret string `toml:"secret"`
	// CredentialSeconds is how long one is good. Zero: 86400.
	CredentialSeconds int `toml:"credential_seconds"`
}

func (i ICE) validate() error {
	if i.CredentialSeconds < 0 {
		return fmt.Errorf("credential_seconds is %d, want 0 or more", i.CredentialSeconds)
	}
	return nil
}

// TTL of a credential.
func (i ICE) TTL() time.Duration {
	return time.Duration(cmp.Or(i.CredentialSeconds, defaultICE.CredentialSeconds)) * time.Second
}

var defaultICE = ICE{CredentialSeconds: 86400}
