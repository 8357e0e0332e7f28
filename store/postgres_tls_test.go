package store

import (
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/certs/certstest"
	"carillon/chat"
	"carillon/store/pgtest"
)

const databasePassword = "correct horse"

// secureServer starts a PostgreSQL that takes nobody without TLS and the password, and returns it
// with the file of its certificate, which is for localhost and no address.
func secureServer(t *testing.T) (server *pgtest.Server, authority string) {
	t.Helper()
	certificate := certstest.New(t, func(c *x509.Certificate) { c.IPAddresses = nil })
	server, err := pgtest.Start(pgtest.Options{TLS: &pgtest.TLS{Certificate: certificate, Password: databasePassword}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	authority, _ = certstest.Write(t, t.TempDir(), certificate)
	return server, authority
}

// secureURL is the server's database postgres on localhost. Options are pairs of name and value.
func secureURL(server *pgtest.Server, password string, options ...string) string {
	u := url.URL{Scheme: "postgres", User: url.User("carillon"), Host: "localhost:" + server.Port(), Path: "/postgres"}
	if password != "" {
		u.User = url.UserPassword("carillon", password)
	}
	query := url.Values{}
	for i := 0; i < len(options); i += 2 {
		query.Set(options[i], options[i+1])
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func atAddress(secureURL string) string {
	return strings.Replace(secureURL, "@localhost:", "@127.0.0.1:", 1)
}

// openURL opens the database and closes it, unless that is refused.
func openURL(t *testing.T, at string) error {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: at, Folder: t.TempDir()}, slog.New(slog.DiscardHandler), func([]chat.Told) {})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Read(t.Context(), func(v chat.View) error {
		_, err := v.ConversationChanges("none", 0, 0, 1)
		return err
	})
}

func TestPostgreSQLOverTLS(t *testing.T) {
	server, authority := secureServer(t)
	stranger, _ := certstest.Write(t, t.TempDir(), certstest.New(t, nil))
	passfile := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(passfile, []byte("*:*:*:carillon:"+databasePassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	verified := []string{"sslmode", "verify-full", "sslrootcert", authority}
	for _, test := range []struct {
		name string
		url  string
		want []string // in the refusal; none: it opens
	}{
		{"verified", secureURL(server, databasePassword, verified...), nil},
		{"the password in a file", secureURL(server, "", append(verified, "passfile", passfile)...), nil},
		{"under another name", atAddress(secureURL(server, databasePassword, verified...)), []string{"store.url: ", "not for 127.0.0.1", "(localhost)"}},
		{"under another name, which is not asked about", atAddress(secureURL(server, databasePassword, "sslmode", "verify-ca", "sslrootcert", authority)), nil},
		{"another authority", secureURL(server, databasePassword, "sslmode", "verify-full", "sslrootcert", stranger), []string{"store.url: ", "signed by", "sslrootcert=FILE"}},
		{"no authority", secureURL(server, databasePassword, "sslmode", "verify-full"), []string{"store.url: ", "signed by", "sslrootcert=FILE"}},
		{"without TLS", secureURL(server, databasePassword, "sslmode", "disable"), []string{"store.url: ", "without TLS", "sslmode=verify-full"}},
		{"a wrong password", secureURL(server, "tr0ub4dor&3", verified...), []string{"store.url: ", "password of carillon", "PGPASSWORD", "passfile"}},
		{"an unknown database", strings.Replace(secureURL(server, databasePassword, verified...), "/postgres?", "/elsewhere?", 1), []string{"store.url: ", "no database elsewhere", "createdb"}},
		{"an authority that is not there", secureURL(server, databasePassword, "sslmode", "verify-full", "sslrootcert", "/nonexistent.pem"), []string{"store.url: ", "/nonexistent.pem"}},
	} {
		t.Run(test.name, func(t *testing.T) { wantOpened(t, test.url, test.want) })
	}
	t.Run("the password in the environment", func(t *testing.T) {
		t.Setenv("PGPASSWORD", databasePassword)
		wantOpened(t, secureURL(server, "", verified...), nil)
	})
}

func wantOpened(t *testing.T, at string, refusal []string) {
	t.Helper()
	err := openURL(t, at)
	if len(refusal) == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if err == nil {
		t.Fatal("it opens")
	}
	for _, part := range refusal {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want %q in it", err, part)
		}
	}
	for _, secret := range []string{databasePassword, url.QueryEscape(databasePassword), url.PathEscape(databasePassword), "tr0ub4dor"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

func TestAnOldCertificateIsCalledOld(t *testing.T) {
	old := certstest.New(t, func(c *x509.Certificate) { c.NotAfter = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }).Leaf
	cfg, err := pgx.ParseConfig("postgres://db.example.test/carillon")
	if err != nil {
		t.Fatal(err)
	}
	got := cannotConnect(x509.CertificateInvalidError{Cert: old, Reason: x509.Expired}, cfg).Error()
	for _, part := range []string{"store.url: ", "db.example.test", "to 2026-01-31 only", "renew it"} {
		if !strings.Contains(got, part) {
			t.Errorf("got %q, want %q in it", got, part)
		}
	}
}

// A server that has no TLS answers the request for it with an N.
// https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
func TestPostgreSQLThatHasNoTLS(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return // closed
			}
			request := make([]byte, 8)
			if _, err := io.ReadFull(c, request); err == nil {
				_, _ = c.Write([]byte("N"))
			}
			c.Close()
		}
	})
	t.Cleanup(func() { listener.Close(); served.Wait() })
	wantOpened(t, "postgres://carillon@"+listener.Addr().String()+"/carillon?sslmode=verify-full", []string{"store.url: ", "has no TLS", "ssl = on", "sslmode=disable"})
}
