package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// served is the certificate that a listener shows for a name.
func served(ctx context.Context, at netip.AddrPort, name string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Doctor judges the certificate itself, also one that nobody should trust.
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: name}}
	conn, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

// checkACME asks what the authority would: whether the names lead here, on port 443.
func checkACME(ctx context.Context, s Subject, server *running) []Finding {
	const check = "http.acme"
	all := []Finding{checkNames(ctx, ok(check, "certificates come by ACME for %s", strings.Join(s.HTTP.ACME, ", ")), s.HTTP.ACME, net.DefaultResolver.LookupHost)}
	if a, err := netip.ParseAddrPort(s.HTTP.Listen); err == nil && a.Port() != 443 {
		all = append(all, Finding{
			check, StatusWarning, fmt.Sprintf("http.listen has port %d; the authority asks on 443", a.Port()),
			"without a certificate nobody reaches the page", fmt.Sprintf("listen on 443, or let port 443 lead to %d", a.Port()),
		})
	}
	if server == nil {
		return all
	}
	_, at := server.site()
	for _, name := range s.HTTP.ACME {
		leaf, err := served(ctx, at, name)
		if err != nil {
			all = append(all, Finding{
				check, StatusProblem, fmt.Sprintf("there is no certificate for %s yet: %v", name, err), "nobody reaches the page",
				"let the name lead to this machine and port 443 be open; the log of carillon says what the authority answered",
			})
			continue
		}
		facts := certificateFacts{check: check, file: "the certificate of " + name, chain: []*x509.Certificate{leaf}, now: time.Now()}
		if f := facts.judge(); f.Status == StatusProblem || leaf.NotAfter.Sub(facts.now) < soon {
			all = append(all, f) // the chain is the authority's business
		}
	}
	return all
}

// checkNames says whether host names lead to this machine. It keeps f if they do.
func checkNames(ctx context.Context, f Finding, hosts []string, lookup func(context.Context, string) ([]string, error)) Finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m := machineFacts()
	for _, host := range hosts {
		if strings.Contains(host, "*") {
			continue
		}
		found, err := lookup(ctx, host)
		if missing, isDNS := errors.AsType[*net.DNSError](err); isDNS && missing.IsNotFound {
			return Finding{
				f.Check, StatusProblem, fmt.Sprintf("the name %s does not exist in DNS, as this machine sees it", host),
				"nobody finds the page, and no authority issues a certificate for it", "add an A or AAAA record that points here",
			}
		}
		if err != nil {
			f.Found += fmt.Sprintf("; %s could not be looked up from here (%v)", host, err)
			continue
		}
		here := slices.ContainsFunc(found, func(text string) bool {
			a, err := netip.ParseAddr(text)
			return err == nil && m.owns(a)
		})
		if !here {
			f.Found += fmt.Sprintf("; %s leads to %s, which is no address of this machine: fine behind NAT or a proxy", host, strings.Join(found, ", "))
		}
	}
	return f
}
