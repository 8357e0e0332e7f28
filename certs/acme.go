package certs

import (
	"context"
	"crypto/tls"

	"github.com/caddyserver/certmagic"
)

// Authority is a certificate authority that issues certificates by ACME (RFC 8555).
type Authority struct {
	Directory string // its URL; empty: Let's Encrypt
	Email     string // whom it tells when a certificate ends; empty: nobody
}

// TLS gets certificates for host names, keeps them in a folder, and renews them in the background until ctx ends. It answers the
// TLS-ALPN challenge on the listener itself, so that no second port is needed.
func (a Authority) TLS(ctx context.Context, names []string, folder string) (*tls.Config, error) {
	magic := certmagic.NewDefault()
	magic.Storage = &certmagic.FileStorage{Path: folder}
	issuer := certmagic.ACMEIssuer{Agreed: true, Email: a.Email, CA: a.Directory, DisableHTTPChallenge: true}
	if issuer.CA == "" {
		issuer.CA = certmagic.LetsEncryptProductionCA
	}
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, issuer)}
	if err := magic.ManageAsync(ctx, names); err != nil {
		return nil, err
	}
	t := magic.TLSConfig()
	t.NextProtos = append([]string{"h2", "http/1.1"}, t.NextProtos...)
	return t, nil
}
