package main

import (
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"carillon/certs/certstest"
)

// writeCertificate writes a self-signed certificate for loopback with this serial number.
func writeCertificate(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	return writeCertificateUntil(t, dir, serial, time.Now().Add(time.Hour))
}

func writeCertificateUntil(t *testing.T, dir string, serial int64, end time.Time) (cert, key string) {
	t.Helper()
	return certstest.Write(t, dir, certstest.New(t, func(c *x509.Certificate) {
		c.SerialNumber, c.NotAfter = big.NewInt(serial), end
	}))
}

// tokenOf is a token of a user, signed with the secret in the data folder.
func tokenOf(t testing.TB, data, user string, more ...string) string {
	t.Helper()
	out, err := command(nil, append([]string{"token", "--user", user, "--data", data}, more...)...).Output()
	if err != nil {
		t.Fatalf("token for %s: %v", user, err)
	}
	return strings.TrimSpace(string(out))
}

// resolver answers every question for an address with 127.0.0.1, and returns where it listens.
func resolver(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { socket.Close(); <-done })
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = socket.WriteTo(answer, from)
			}
		}
	}()
	return socket.LocalAddr().String()
}
