package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"carillon/certs"
	"carillon/config"
	"carillon/front"
)

// listen binds an address, or says which key to change.
func listen(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; is another carillon running? Set %s to another address, or port 0 for any free one", key, err, key)
	}
	return l, nil
}

// openFront binds http.listen.
func openFront(ctx context.Context, c config.HTTP, folder string, log *slog.Logger) (*front.Front, error) {
	secure, err := security(ctx, c, folder, log)
	if err != nil {
		return nil, err
	}
	l, err := listen("http.listen", c.Listen)
	if err != nil {
		return nil, err
	}
	return front.New(l, secure, log), nil
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
		secure, err := acme(ctx, c, folder)
		if err != nil {
			return nil, fmt.Errorf("http.acme: %w", err)
		}
		return secure, nil
	}
	return nil, nil
}

// acme gets certificates and renews them in the background until ctx ends. It answers the
// TLS-ALPN challenge on the listener itself, so that no second port is needed.
func acme(ctx context.Context, c config.HTTP, folder string) (*tls.Config, error) {
	magic := certmagic.NewDefault()
	magic.Storage = &certmagic.FileStorage{Path: folder}
	issuer := certmagic.ACMEIssuer{Agreed: true, Email: c.ACMEEmail, CA: c.ACMEDirectory, DisableHTTPChallenge: true}
	if issuer.CA == "" {
		issuer.CA = certmagic.LetsEncryptProductionCA
	}
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, issuer)}
	if err := magic.ManageAsync(ctx, c.ACME); err != nil {
		return nil, err
	}
	t := magic.TLSConfig()
	t.NextProtos = append([]string{"h2", "http/1.1"}, t.NextProtos...)
	return t, nil
}

// serveHTTP serves until ctx ends, then lets requests under way finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // for a body too; what is hijacked (a WebSocket) has deadlines of its own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' handshakes
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if server.Shutdown(finish) != nil {
			server.Close()
		}
	}()
	err := server.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	}
	<-stopped
	return nil
}

// shared lets pages of the allowed origins use an endpoint; "*" allows any.
func shared(origins []string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin != "" && (slices.Contains(origins, origin) || slices.Contains(origins, "*")) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Methods", "POST")
				w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// privateHandler is for operators only: metrics, health and profiles.
func privateHandler(reg *prometheus.Registry, health http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.Handle("/healthz", health)
	mux.Handle("/readyz", health)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
