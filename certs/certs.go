// Package certs reads a certificate from files, and again when they change, so that a
// renewal needs no restart. HTTP and TURN use it alike.
package certs

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// checkEvery bounds how often handshakes look at the files.
const checkEvery = time.Second

// Pair is a certificate with its key. It is safe for concurrent use.
type Pair struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   [2]stamp
	checked time.Time
}

type stamp struct {
	modified time.Time
	size     int64
}

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
// being written or because it is wrong, the certificate before it goes on.
func (p *Pair) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.checked) < checkEvery {
		return p.pair, nil
	}
	p.checked = time.Now()
	stamp, err := p.look()
	if err == nil && stamp != p.stamp {
		err = p.readLocked(stamp)
	}
	if err != nil {
		p.log.Warn("certificate not read again, the old one goes on", "err", err)
	}
	return p.pair, nil
}

func (p *Pair) look() (s [2]stamp, err error) {
	for i, name := range []string{p.certFile, p.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return s, fmt.Errorf("find certificate: %w", err)
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

func (p *Pair) readLocked(s [2]stamp) error {
	pair, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return fmt.Errorf("read certificate %s: %w", p.certFile, err)
	}
	p.pair, p.stamp = &pair, s
	return nil
}
