package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"carillon/certs/certstest"
)

func writePair(t *testing.T, dir string, serial int64, modified time.Time) (cert, key string) {
	t.Helper()
	cert, key = certstest.Write(t, dir, certstest.New(t, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(serial) }))
	for _, name := range []string{cert, key} {
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestChangedFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, start := t.TempDir(), time.Now()
		cert, key := writePair(t, dir, 1, start)
		var log bytes.Buffer
		p, err := Load(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		serial := func() int64 {
			time.Sleep(checkEvery)
			c, err := p.Get(nil)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(c.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			return leaf.SerialNumber.Int64()
		}
		if got := serial(); got != 1 {
			t.Fatalf("got certificate %d, want 1", got)
		}
		writePair(t, dir, 2, start.Add(time.Minute))
		if got := serial(); got != 2 {
			t.Errorf("after renewal: got certificate %d, want 2", got)
		}
		if err := os.WriteFile(cert, []byte("half a cert"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := serial(); got != 2 || log.Len() == 0 {
			t.Errorf("while a file is broken: got certificate %d, want 2 and a warning", got)
		}
	})
}

// The files may lie on a disk that does not answer.
func TestAHandshakeDoesNotWaitForTheOneThatReads(t *testing.T) {
	cert, key := writePair(t, t.TempDir(), 1, time.Now())
	p, err := Load(cert, key, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock() // as the handshake that reads
	defer p.mu.Unlock()
	got := make(chan *tls.Certificate, 1)
	go func() {
		c, _ := p.Get(nil)
		got <- c
	}()
	select {
	case c := <-got:
		if c == nil {
			t.Error("no certificate")
		}
	case <-time.After(10 * time.Second):
		t.Error("the handshake waits")
	}
}

func TestMissingOrForeignKeyDoesNotLoad(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, 1, time.Now())
	_, otherKey := writePair(t, t.TempDir(), 2, time.Now())
	if _, err := Load(cert, filepath.Join(dir, "none"), slog.Default()); err == nil {
		t.Error("a missing key loaded")
	}
	if _, err := Load(cert, otherKey, slog.Default()); err == nil {
		t.Error("a key of another certificate loaded")
	}
	if _, err := Load(cert, key, slog.Default()); err != nil {
		t.Error(err)
	}
}
