package store

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// cannotConnect says what to do about a database that did not take us at the start. An error that
// needs no advice is returned as it is.
func cannotConnect(err error, cfg *pgx.ConnConfig) error {
	advice := connectAdvice(err, cfg)
	if advice == "" {
		return err
	}
	return fmt.Errorf("store.url: %s (%w)", advice, err)
}

// Of https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	codeNotAuthorized   = "28000" // also: pg_hba.conf has no line for such a connection
	codeWrongPassword   = "28P01"
	codeUnknownDatabase = "3D000"
)

func connectAdvice(err error, cfg *pgx.ConnConfig) string {
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Sprintf("the certificate of the database at %s is signed by %q, which is not trusted here: add sslrootcert=FILE with the certificate of its authority to the URL", cfg.Host, issuer(unknown.Cert))
	}
	if other, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("the certificate of the database is not for %s: write into the URL the name it is for (%s), or give the database a certificate for this one", other.Host, names(other.Certificate))
	}
	if bad, ok := errors.AsType[x509.CertificateInvalidError](err); ok && bad.Reason == x509.Expired {
		return fmt.Sprintf("the certificate of the database at %s is good from %s to %s only: renew it, or set this machine's clock", cfg.Host, bad.Cert.NotBefore.UTC().Format(time.DateOnly), bad.Cert.NotAfter.UTC().Format(time.DateOnly))
	}
	if strings.Contains(err.Error(), "server refused TLS connection") {
		return fmt.Sprintf("the database at %s has no TLS: turn it on there (ssl = on), or, if nobody else is on the way to it, write sslmode=disable into the URL", cfg.Host)
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return ""
	}
	switch {
	case refused.Code == codeNotAuthorized && cfg.TLSConfig == nil && strings.Contains(refused.Message, "no encryption"):
		return fmt.Sprintf("the database at %s does not take this connection without TLS: write sslmode=verify-full into the URL", cfg.Host)
	case refused.Code == codeNotAuthorized:
		return fmt.Sprintf("the database at %s does not let %s in from here: see its pg_hba.conf", cfg.Host, cfg.User)
	case refused.Code == codeWrongPassword:
		return fmt.Sprintf("the database at %s does not take the password of %s: it is read from the URL, the variable PGPASSWORD, or the file that passfile in the URL names", cfg.Host, cfg.User)
	case refused.Code == codeUnknownDatabase:
		return fmt.Sprintf("there is no database %s at %s: make it (createdb --owner=%s %s)", cfg.Database, cfg.Host, cfg.User, cfg.Database)
	}
	return ""
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return c.Issuer.String()
}

func names(c *x509.Certificate) string {
	all := c.DNSNames
	for _, address := range c.IPAddresses {
		all = append(all, address.String())
	}
	return strings.Join(all, ", ")
}
