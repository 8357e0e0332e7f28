package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/certs"
	"carillon/config"
	"carillon/front"
	"carillon/tcp"
)

// openFront binds http.listen.
func openFront(ctx context.Context, c config.HTTP, proxies front.Proxies, folder string, log *slog.Logger, reg prometheus.Registerer) (*front.Front, error) {
	secure, err := security(ctx, c, folder, log)
	if err != nil {
		return nil, err
	}
	l, err := front.Listen("http.listen", c.Listen)
	if err != nil {
		return nil, err
	}
	connections := tcp.NewLimiter(c.Connections(), "http.tcp", proxies.Trust, log)
	if err := reg.Register(connections.Metrics("http")); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return front.New(connections.Listen(l), secure), nil
}

// share lets ICE-TCP and TURN over TLS use the port of http.listen if media.listen and
// turn.tls name it too.
func share(c *config.Config, public *front.Front) {
	if c.Media.Listen == c.HTTP.Listen {
		c.Media.SharedTCP = public.ICE()
	} else {
		public.ICE().Close()
	}
	if !slices.Contains(c.Turn.TLS, c.HTTP.Listen) {
		public.Relay().Close()
		return
	}
	c.Turn.Decrypted = public.Relay()
	if c.Turn.Host == "" && len(c.HTTP.ACME) > 0 {
		c.Turn.Host = c.HTTP.ACME[0] // the name in the certificate
	}
}

// security is TLS for a listener if the configuration has a certificate or names for which
// to get one, else nil.
func security(ctx context.Context, c config.HTTP, folder string, log *slog.Logger) (*tls.Config, error) {
	switch {
	case c.Cert != "":
		pair, err := certs.Load(c.Cert, c.Key, log)
		if err != nil {
			return nil, fmt.Errorf("http.cert, http.key: %w", err)
		}
		return &tls.Config{GetCertificate: pair.Get, NextProtos: []string{"h2", "http/1.1"}}, nil
	case len(c.ACME) > 0:
		authority := certs.Authority{Directory: c.ACMEDirectory, Email: c.ACMEEmail}
		secure, err := authority.TLS(ctx, c.ACME, folder)
		if err != nil {
			return nil, fmt.Errorf("http.acme: %w", err)
		}
		return secure, nil
	}
	return nil, nil
}
