package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"carillon/bench/target"
)

// server is a carillon in a process of its own, with an empty data folder.
type server struct {
	// Fixed once it is ready.
	command *exec.Cmd
	folder  string
	urls    map[string]string // by the name of the listener
	trust   *tls.Config       // nil: it serves without TLS
	stderr  bytes.Buffer      // read only after exited

	exited chan struct{} // closed when the process has ended; waited is set before
	waited error
}

// signingKey is the key with which the site's backend would sign tokens.
const signingKey = "an attack on loopback needs no secret"

// serveConfig leaves every limit at its default. Guests may come, so that they can be floods.
const serveConfig = `log = "error"
[http]
trusted_proxies = [%q]
cert = %q
key = %q
[auth]
guests = true
jwks_url = %q
issuer = "https://idp.example"
audience = "attack"
[auth.keys]
site = %q
[reach]
guests = ["alice"]
`

// startServer runs a binary until stop. Its keys are published at jwks.
func startServer(ctx context.Context, binary, jwks string, secure bool) (_ *server, err error) {
	s := &server{urls: map[string]string{}, exited: make(chan struct{})}
	if s.folder, err = os.MkdirTemp("", "carillon-attack-"); err != nil {
		return nil, err
	}
	started := false
	defer func() {
		if !started {
			_ = os.RemoveAll(s.folder)
		}
	}()
	cert, key := "", ""
	if secure {
		if cert, key, err = s.writeCertificate(); err != nil {
			return nil, err
		}
	}
	config := filepath.Join(s.folder, "carillon.toml")
	text := fmt.Sprintf(serveConfig, proxyAddress, cert, key, jwks, signingKey)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s.command = exec.Command(binary, "serve", "--config", config, "--data", s.data(),
		"--listen", "127.0.0.1:0", "--media", "127.0.0.1:0", "--turn", "127.0.0.1:0", "--private", "127.0.0.1:0")
	s.command.Stderr = &s.stderr
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // Ctrl-C is for us to handle
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	started = true
	ready := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == "ready" {
				close(ready)
				continue
			}
			if name, url, ok := strings.Cut(lines.Text(), " "); ok && s.urls[name] == "" {
				s.urls[name] = url
			}
		}
		s.waited = s.command.Wait()
		close(s.exited)
	}()
	select {
	case <-ready:
		return s, nil
	case <-s.exited:
		err = s.died()
	case <-time.After(20 * time.Second):
		err = errors.New("the server was not ready within 20 s")
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stop()
	return nil, err
}

func (s *server) data() string { return filepath.Join(s.folder, "data") }

// died says how the process ended; nil while it lives.
func (s *server) died() error {
	select {
	case <-s.exited:
		return fmt.Errorf("the server ended: %w\n%s", s.waited, s.stderr.String())
	default:
		return nil
	}
}

// stopTime is how long a server may take to stop before it is killed.
const stopTime = 30 * time.Second

// stop ends the process, returns how long that took, and removes its folder.
func (s *server) stop() time.Duration {
	began := time.Now()
	_ = s.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopTime):
		_ = s.command.Process.Kill()
		<-s.exited
	}
	took := time.Since(began)
	_ = os.RemoveAll(s.folder)
	return took
}

// url of the HTTP server with another scheme: "http" or "ws", secure where it is.
func (s *server) url(scheme string) string {
	if u, ok := s.urls["https"]; ok {
		return scheme + "s" + strings.TrimPrefix(u, "https")
	}
	return scheme + strings.TrimPrefix(s.urls["http"], "http")
}

// address of a listener by its name.
func (s *server) address(name string) netip.AddrPort {
	u, err := url.Parse(s.urls[name])
	if err != nil {
		return netip.AddrPort{}
	}
	host := u.Host
	if u.Opaque != "" { // turn:HOST:PORT?transport=…
		host = u.Opaque
	}
	a, _ := netip.ParseAddrPort(host)
	return a
}

// usage is what the server uses of the machine.
type usage struct {
	processor   time.Duration
	memory      uint64 // bytes
	disk        int64  // bytes of the data folder
	descriptors int
}

func (s *server) usage() (u usage) {
	pid := s.command.Process.Pid
	if used, err := target.ReadUsage(pid); err == nil {
		u.processor = used.Total
	}
	u.memory = target.ResidentMemory(pid)
	_ = filepath.WalkDir(s.data(), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // it was removed just now
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			u.disk += info.Size()
		}
		return nil
	})
	open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.descriptors = len(open)
	return u
}

// watch follows what the server uses until the returned function is called, which returns the
// most that was seen.
func (s *server) watch() (most func() usage) {
	var u usage
	var watching sync.WaitGroup
	stop := make(chan struct{})
	watching.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				now := s.usage()
				u.memory, u.descriptors = max(u.memory, now.memory), max(u.descriptors, now.descriptors)
			}
		}
	})
	return func() usage {
		close(stop)
		watching.Wait()
		return u
	}
}

// writeCertificate writes a certificate for loopback, which clients of this server trust.
func (s *server) writeCertificate() (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return "", "", err
	}
	pool.AddCert(parsed)
	s.trust = &tls.Config{RootCAs: pool}
	cert, key = filepath.Join(s.folder, "cert.pem"), filepath.Join(s.folder, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
}
