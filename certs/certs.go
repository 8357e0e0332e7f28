// Package certs provides the certificates of HTTP and TURN: from files, which are read again
// when they change, so that a renewal needs no restart, or from an ACME authority.
package certs

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// StaysInUse is what the log says when a changed certificate cannot be read. Carillon doctor
// tells operators to look for it.
const StaysInUse = "changed certificate cannot be read, the old one stays in use"

// checkEvery bounds how often handshakes look at the files.
const checkEvery = time.Second

// Pair is a certificate with its key. It is safe for concurrent use.
type Pair struct {
	// Fixed at construction.
	certFile, keyFile string
	log               *slog.Logger

	pair atomic.Pointer[tls.Certificate] // the newest that could be read

	// Owned by the one handshake that has locked mu and looks at the files.
	mu      sync.Mutex
	stamp   [2]stamp
	checked time.Time
}

// stamp tells a changed file from the one that was read.
type stamp struct {
	modified time.Time
	size     int64
}

// maxFile is far more than a chain or a key has. A device without an end is no file.
const maxFile = 1 << 20

// Load reads PEM files. It fails when they do not belong together.
func Load(certFile, keyFile string, log *slog.Logger) (*Pair, error) {
	p := &Pair{certFile: certFile, keyFile: keyFile, log: log}
	stamp, err := p.look()
	if err != nil {
		return nil, err
	}
	if err := p.readLocked(stamp); err != nil {
		return nil, err
	}
	p.checked = time.Now()
	return p, nil
}

// Get is for tls.Config.GetCertificate. While a changed file cannot be read, because it is
// being written or because it is wrong, the certificate that was read before stays in use.
// One handshake at a time looks at the files, and no other waits for the disk.
func (p *Pair) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if p.mu.TryLock() {
		p.checkLocked()
		p.mu.Unlock()
	}
	return p.pair.Load(), nil
}

// checkLocked reads the files again if they have changed.
func (p *Pair) checkLocked() {
	if time.Since(p.checked) < checkEvery {
		return
	}
	p.checked = time.Now()
	stamp, err := p.look()
	if err == nil && stamp != p.stamp {
		err = p.readLocked(stamp)
	}
	if err != nil {
		p.log.Warn(StaysInUse, "err", err)
	}
}

// Read reads PEM files once, as Load does.
func Read(certFile, keyFile string) (tls.Certificate, error) {
	p := Pair{certFile: certFile, keyFile: keyFile}
	if _, err := p.look(); err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(certFile, keyFile)
}

// look returns the stamps of the two files.
func (p *Pair) look() (s [2]stamp, err error) {
	for i, name := range []string{p.certFile, p.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return s, fmt.Errorf("find certificate: %w", err)
		}
		if !info.Mode().IsRegular() || info.Size() > maxFile {
			return s, fmt.Errorf("find certificate: %s is no file of at most %d bytes", name, maxFile)
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

// readLocked reads both files, which have the stamps s.
func (p *Pair) readLocked(s [2]stamp) error {
	pair, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return fmt.Errorf("read certificate %s: %w", p.certFile, err)
	}
	p.pair.Store(&pair)
	p.stamp = s
	return nil
}
