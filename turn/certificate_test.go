package turn

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"carillon/certs/certstest"
)

// certificate writes a certificate for loopback with the given common name.
func certificate(t testing.TB, folder, name string) (cert, key string) {
	t.Helper()
	return certstest.Write(t, folder, certstest.New(t, func(c *x509.Certificate) { c.Subject.CommonName = name }))
}

// dial connects to a stream listener.
func dial(t testing.TB, s *Server, transport string) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	if transport == "tls" {
		conn, err = tls.Dial("tcp", s.address("tls"), &tls.Config{InsecureSkipVerify: true})
	} else {
		conn, err = net.Dial("tcp", s.address(transport))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
