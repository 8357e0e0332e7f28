package doctor

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"carillon/certs"
)

// soon is how long before the end of a certificate an operator should know: Let's Encrypt
// renews at 30 days, so that 14 mean that renewal has failed for a while.
const soon = 14 * 24 * time.Hour

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

// certificateFacts is what is known of a certificate.
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

func (c certificateFacts) judge() Finding {
	leaf := c.chain[0]
	f := Finding{Check: c.check, Status: StatusProblem}
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
	f.Status = StatusWarning
	intermediates := x509.NewCertPool()
	for _, above := range c.chain[1:] {
		intermediates.AddCert(above)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: intermediates, CurrentTime: c.now})
	switch {
	case c.served != nil && !c.served.Equal(leaf):
		f.Found = fmt.Sprintf("the running carillon shows another certificate than %s, one that ends at %s", c.file, day(c.served.NotAfter))
		f.Suffers, f.Change = "nothing, until the old one ends", fmt.Sprintf("look for %q in its log", certs.StaysInUse)
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
