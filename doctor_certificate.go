package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"carillon/config"
)

// soon is how long before the end of a certificate an operator should know: Let's Encrypt
// renews at 30 days, so that 14 mean that renewal has failed for a while.
const soon = 14 * 24 * time.Hour

// checkCertificates looks at the certificate of HTTPS and at that of turn.tls.
func checkCertificates(ctx context.Context, c config.Config, folder string, server *running) []finding {
	var all []finding
	ownTLS := slices.DeleteFunc(slices.Clone(c.Turn.TLS), func(a string) bool { return a == c.HTTP.Listen })
	switch {
	case c.HTTP.Cert != "":
		host := ""
		if !c.Turn.Off && len(ownTLS) < len(c.Turn.TLS) {
			host = turnHost(c, c.HTTP.Listen, server)
		}
		all = append(all, checkFiles(ctx, "http.cert", c.HTTP.Cert, c.HTTP.Key, host, server))
	case len(c.HTTP.ACME) > 0:
		all = append(all, checkACME(ctx, c, server)...)
	case reachOfListener(c.HTTP.Listen) > reachSelf:
		all = append(all, finding{
			"http.cert", statusWarning, "no certificate is configured and http.listen is not loopback",
			"browsers give camera and microphone to HTTPS pages only: without a proxy that adds TLS nobody can call",
			"set http.cert and http.key, or http.acme; if a reverse proxy adds TLS, listen on 127.0.0.1 and ignore this",
		})
	default:
		all = append(all, ok("http.cert", "no certificate, which is fine on loopback and behind a proxy that adds TLS"))
	}
	if !c.Turn.Off && len(ownTLS) > 0 {
		if c.Turn.Cert == "" || c.Turn.Key == "" {
			return append(all, finding{
				"turn.cert", statusProblem, "turn.tls lists an address, and turn.cert or turn.key is empty", "carillon does not start",
				"set turn.cert and turn.key, or name the address of http.listen in turn.tls to share its port and certificate",
			})
		}
		all = append(all, checkFiles(ctx, "turn.cert", c.Turn.Cert, c.Turn.Key, turnHost(c, ownTLS[0], server), server))
	}
	return all
}

// turnHost is the host in the turns: URL of a listener: what the certificate must name.
func turnHost(c config.Config, listen string, server *running) string {
	a, err := netip.ParseAddrPort(listen)
	switch {
	case c.Turn.Host != "":
		return c.Turn.Host
	case server != nil && server.url("turn-tls") != "":
		host, _, _ := net.SplitHostPort(hostPort(server.url("turn-tls")))
		return host
	case err != nil:
		return ""
	case !a.Addr().IsUnspecified():
		return a.Addr().String()
	case len(c.Turn.RelayAddresses) > 0:
		shown, _, _ := strings.Cut(c.Turn.RelayAddresses[0], "/")
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
func checkFiles(ctx context.Context, check, cert, key, host string, server *running) finding {
	keyName := strings.TrimSuffix(check, "cert") + "key"
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		f := finding{Check: check, Status: statusProblem, Suffers: "carillon does not start; one that runs goes on with the certificate it has, until that ends"}
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
		return finding{check, statusProblem, fmt.Sprintf("%s: %v", cert, err), "browsers refuse the page", "ask the authority for the certificate again"}
	}
	facts := certificateFacts{check: check, file: cert, chain: chain, host: host, now: time.Now()}
	if check == "http.cert" && server != nil {
		if scheme, at := server.site(); scheme == "https" {
			facts.served, _ = served(ctx, at, "") // whether HTTPS answers at all is another check
		}
	}
	f := facts.judge()
	if f.Status == statusOK {
		return checkNames(ctx, f, chain[0].DNSNames, net.DefaultResolver.LookupHost)
	}
	return f
}

func parseChain(der [][]byte) (chain []*x509.Certificate, err error) {
	for _, d := range der {
		c, err := x509.ParseCertificate(d)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	return chain, nil
}

// certificateFacts is what is known of a certificate; it decides without looking further.
type certificateFacts struct {
	check string // the key that names it
	file  string
	chain []*x509.Certificate
	host  string         // in the URLs of TURN over TLS; "" when that is not said
	roots *x509.CertPool // nil: this machine's
	now   time.Time
	// served is what the running server shows; nil when unknown.
	served *x509.Certificate
}

func (c certificateFacts) judge() finding {
	leaf := c.chain[0]
	f := finding{Check: c.check, Status: statusProblem}
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
	switch {
	case c.now.After(leaf.NotAfter):
		f.Found = fmt.Sprintf("%s expired at %s", c.file, day(leaf.NotAfter))
		f.Suffers = "browsers show a warning in place of the page; pages that embed the popup show nothing, and TURN over TLS fails silently"
		f.Change = "renew it; carillon reads the new files without a restart"
		return f
	case c.now.Before(leaf.NotBefore):
		f.Found = fmt.Sprintf("%s is valid only from %s; this machine's clock says %s", c.file, day(leaf.NotBefore), day(c.now))
		f.Suffers, f.Change = "browsers refuse the page", "set the clock right, or wait"
		return f
	case len(leaf.DNSNames)+len(leaf.IPAddresses) == 0:
		f.Found = fmt.Sprintf("%s names no host (subjectAltName is empty)", c.file)
		f.Suffers, f.Change = "browsers refuse it, whatever its common name is", "ask for a certificate with the host name as subjectAltName"
		return f
	case c.host != "" && leaf.VerifyHostname(c.host) != nil:
		f.Found = fmt.Sprintf("%s is for %s, but turns: URLs name %s", c.file, names(leaf), c.host)
		f.Suffers, f.Change = "TURN over TLS fails: callers behind strict firewalls stay without sound and picture", "set turn.host to a name of the certificate"
		return f
	}
	f.Status = statusWarning
	intermediates := x509.NewCertPool()
	for _, above := range c.chain[1:] {
		intermediates.AddCert(above)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: intermediates, CurrentTime: c.now})
	switch {
	case c.served != nil && !c.served.Equal(leaf):
		f.Found = fmt.Sprintf("the running carillon shows another certificate than %s, one that ends at %s", c.file, day(c.served.NotAfter))
		f.Suffers, f.Change = "nothing, until the old one ends", "look for \"certificate not read again\" in its log"
	case leaf.NotAfter.Sub(c.now) < soon:
		f.Found = fmt.Sprintf("%s ends at %s", c.file, day(leaf.NotAfter))
		f.Suffers, f.Change = "nothing yet; from then on browsers refuse the page", "see why it was not renewed"
	case err != nil:
		f.Found = fmt.Sprintf("%s for %s is not trusted by this machine: %v", c.file, names(leaf), err)
		f.Suffers = "browsers that do not trust it either show a warning in place of the page, and TURN over TLS fails silently"
		f.Change = "use a certificate of a public authority, with its whole chain in the file; fine while you only try things"
	default:
		return ok(c.check, "%s is for %s, until %s", c.file, names(leaf), day(leaf.NotAfter))
	}
	return f
}

func names(c *x509.Certificate) string {
	list := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	return strings.Join(list, ", ")
}

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
func checkACME(ctx context.Context, c config.Config, server *running) []finding {
	const check = "http.acme"
	all := []finding{checkNames(ctx, ok(check, "certificates come by ACME for %s", strings.Join(c.HTTP.ACME, ", ")), c.HTTP.ACME, net.DefaultResolver.LookupHost)}
	if a, err := netip.ParseAddrPort(c.HTTP.Listen); err == nil && a.Port() != 443 {
		all = append(all, finding{
			check, statusWarning, fmt.Sprintf("http.listen has port %d; the authority asks on 443", a.Port()),
			"without a certificate nobody reaches the page", fmt.Sprintf("listen on 443, or let port 443 lead to %d", a.Port()),
		})
	}
	if server == nil {
		return all
	}
	_, at := server.site()
	for _, name := range c.HTTP.ACME {
		leaf, err := served(ctx, at, name)
		if err != nil {
			all = append(all, finding{
				check, statusProblem, fmt.Sprintf("there is no certificate for %s yet: %v", name, err), "nobody reaches the page",
				"let the name lead to this machine and port 443 be open; the log of carillon says what the authority answered",
			})
			continue
		}
		facts := certificateFacts{check: check, file: "the certificate of " + name, chain: []*x509.Certificate{leaf}, now: time.Now()}
		if f := facts.judge(); f.Status == statusProblem || leaf.NotAfter.Sub(facts.now) < soon {
			all = append(all, f) // the chain is the authority's business
		}
	}
	return all
}

// checkNames says whether host names lead to this machine. It keeps f if they do.
func checkNames(ctx context.Context, f finding, hosts []string, lookup func(context.Context, string) ([]string, error)) finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m := machineFacts()
	for _, host := range hosts {
		if strings.Contains(host, "*") {
			continue
		}
		found, err := lookup(ctx, host)
		if missing, isDNS := errors.AsType[*net.DNSError](err); isDNS && missing.IsNotFound {
			return finding{
				f.Check, statusProblem, fmt.Sprintf("the name %s does not exist in DNS, as this machine sees it", host),
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
