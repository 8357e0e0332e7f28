package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"carillon/certs"
)

// checkCertificates looks at the certificate of HTTPS and at that of turn.tls.
func checkCertificates(ctx context.Context, s Subject, server *running) []Finding {
	var all []Finding
	ownTLS := slices.DeleteFunc(slices.Clone(s.Turn.TLS), func(a string) bool { return a == s.HTTP.Listen })
	switch {
	case s.HTTP.Cert != "":
		host := ""
		if !s.Turn.Off && len(ownTLS) < len(s.Turn.TLS) {
			host = turnHost(s, s.HTTP.Listen, server)
		}
		all = append(all, checkFiles(ctx, "http.cert", s.HTTP.Cert, s.HTTP.Key, host, server))
	case len(s.HTTP.ACME) > 0:
		all = append(all, checkACME(ctx, s, server)...)
	case reachOfListener(s.HTTP.Listen) > reachSelf:
		all = append(all, Finding{
			"http.cert", StatusWarning, "no certificate is configured and http.listen is not loopback",
			"browsers give camera and microphone to HTTPS pages only: without a proxy that adds TLS nobody can call",
			"set http.cert and http.key, or http.acme; if a reverse proxy adds TLS, listen on 127.0.0.1 and ignore this",
		})
	default:
		all = append(all, ok("http.cert", "no certificate, which is fine on loopback and behind a proxy that adds TLS"))
	}
	if !s.Turn.Off && len(ownTLS) > 0 {
		if s.Turn.Cert == "" || s.Turn.Key == "" {
			return append(all, Finding{
				"turn.cert", StatusProblem, "turn.tls lists an address, and turn.cert or turn.key is empty", "carillon does not start",
				"set turn.cert and turn.key, or name the address of http.listen in turn.tls to share its port and certificate",
			})
		}
		all = append(all, checkFiles(ctx, "turn.cert", s.Turn.Cert, s.Turn.Key, turnHost(s, ownTLS[0], server), server))
	}
	return all
}

// turnHost is the host in the turns: URL of a listener: what the certificate must name.
func turnHost(s Subject, listen string, server *running) string {
	a, err := netip.ParseAddrPort(listen)
	switch {
	case s.Turn.Host != "":
		return s.Turn.Host
	case server != nil && server.url("turn-tls") != "":
		host, _, _ := net.SplitHostPort(hostPort(server.url("turn-tls")))
		return host
	case err != nil:
		return ""
	case !a.Addr().IsUnspecified():
		return a.Addr().String()
	case len(s.Turn.RelayAddresses) > 0:
		shown, _, _ := strings.Cut(s.Turn.RelayAddresses[0], "/")
		return shown
	}
	return "the address of this machine"
}

func reachOfListener(address string) reach {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return reachSelf
	}
	return machineFacts().furthest(a.Addr())
}

// checkFiles reads a certificate as serve does, then looks at it as a browser does.
func checkFiles(ctx context.Context, check, cert, key, host string, server *running) Finding {
	keyName := strings.TrimSuffix(check, "cert") + "key"
	pair, err := certs.Read(cert, key)
	if err != nil {
		f := Finding{Check: check, Status: StatusProblem, Suffers: "carillon does not start; one that runs goes on with the certificate it has, until that ends"}
		switch {
		case errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission):
			f.Found, f.Change = err.Error(), fmt.Sprintf("let %s and %s name PEM files that the user of carillon may read", check, keyName)
		case strings.Contains(err.Error(), "does not match"):
			f.Found = fmt.Sprintf("the key %s does not belong to the certificate %s", key, cert)
			f.Change = fmt.Sprintf("set %s and %s to the two files that were issued together", check, keyName)
		default:
			f.Found, f.Change = fmt.Sprintf("%s, %s: %v", cert, key, err), "write both files as PEM: the certificate first, then its chain; the key by itself"
		}
		return f
	}
	chain, err := parseChain(pair.Certificate)
	if err != nil {
		return Finding{check, StatusProblem, fmt.Sprintf("%s: %v", cert, err), "browsers refuse the page", "ask the authority for the certificate again"}
	}
	facts := certificateFacts{check: check, file: cert, chain: chain, host: host, now: time.Now()}
	if check == "http.cert" && server != nil {
		if scheme, at := server.site(); scheme == "https" {
			facts.served, _ = served(ctx, at, "") // whether HTTPS answers at all is another check
		}
	}
	f := facts.judge()
	if f.Status == StatusOK {
		return checkNames(ctx, f, chain[0].DNSNames, net.DefaultResolver.LookupHost)
	}
	return f
}
