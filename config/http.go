package config

import (
	"fmt"

	"carillon/front"
	"carillon/settings"
	"carillon/tcp"
)

// HTTP is where pages and the WebSocket are served.
type HTTP struct {
	// Listen is ADDRESS:PORT. Port 0: any free one.
	Listen string `toml:"listen"`
	// TrustedProxies lists addresses and CIDRs of reverse proxies that tell the addresses of
	// clients. Nobody else's word counts. Empty: none.
	TrustedProxies []string `toml:"trusted_proxies"`
	// ForwardedHeader is the header in which they do: X-Forwarded-For or Forwarded.
	ForwardedHeader string `toml:"forwarded_header"`
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
	// DrainSeconds is how long a server that was told to stop serves on, while /readyz tells the load
	// balancer to send new tabs elsewhere. Zero: it stops at once, as suits a server without one.
	DrainSeconds int `toml:"drain_seconds"`

	// TCP bounds the connections to this port. The trusted proxies, through which all clients
	// come, are bounded by what is in all, not per address.
	TCP tcp.Config `toml:"tcp"`
}

// Proxies are the proxies that are trusted.
func (h HTTP) Proxies() (front.Proxies, error) {
	return front.TrustProxies(h.TrustedProxies, h.ForwardedHeader)
}

// Connections is TCP with the defaults of this port.
func (h HTTP) Connections() tcp.Config { return settings.Fill(h.TCP, Defaults().HTTP.TCP) }

// Private serves metrics, health and profiles.
type Private struct {
	// Listen is ADDRESS:PORT.
	Listen string `toml:"listen"`
	// Hosts are names under which it may be asked, beside loopback names and addresses, such as
	// that in your Prometheus' configuration. Empty: none.
	Hosts []string `toml:"hosts"`
}

func (h HTTP) validate() error {
	if (h.Cert == "") != (h.Key == "") {
		return fmt.Errorf("cert and http.key: set both or neither")
	}
	if h.Cert != "" && len(h.ACME) > 0 {
		return fmt.Errorf("acme and http.cert: set one of them")
	}
	if _, err := h.Proxies(); err != nil {
		return err
	}
	if h.DrainSeconds < 0 {
		return fmt.Errorf("drain_seconds is %d, want 0 or more", h.DrainSeconds)
	}
	return h.TCP.Validate()
}
