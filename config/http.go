package config

import "fmt"

// HTTP is where pages and the WebSocket are served.
type HTTP struct {
	// Listen is ADDRESS:PORT. Port 0: any free one.
	Listen string `toml:"listen"`
	// Cert and Key are PEM files. They are read again when they change. Empty: no TLS.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
	// ACME gets certificates for these host names, which must point here; port 443 must be
	// reachable. Empty: none.
	ACME []string `toml:"acme"`
	// ACMEEmail is told when renewal fails. Empty: nobody.
	ACMEEmail string `toml:"acme_email"`
	// ACMEDirectory is the certificate authority. Empty: Let's Encrypt.
	ACMEDirectory string `toml:"acme_directory"`
}

// Private serves metrics, health and profiles.
type Private struct {
	// Listen is ADDRESS:PORT.
	Listen string `toml:"listen"`
}

func (h HTTP) validate() error {
	if (h.Cert == "") != (h.Key == "") {
		return fmt.Errorf("cert and http.key: set both or neither")
	}
	if h.Cert != "" && len(h.ACME) > 0 {
		return fmt.Errorf("acme and http.cert: set one of them")
	}
	return nil
}
