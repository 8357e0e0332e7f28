package doctor

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"carillon/certs"
	"carillon/certs/certstest"
	"carillon/sfu"
)

// expect fails unless a finding of this check has the status and mentions every word.
func expect(t *testing.T, all []Finding, check string, want Status, words ...string) {
	t.Helper()
	for _, f := range all {
		text := f.Found + " " + f.Suffers + " " + f.Change
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(text, w)
		}
		if f.Check == check && f.Status == want && !missing {
			if want != StatusOK && want != StatusSkipped && (f.Suffers == "" || f.Change == "") {
				t.Errorf("it does not say what callers suffer and what to change: %+v", f)
			}
			return
		}
	}
	text, _ := json.MarshalIndent(all, "", " ")
	t.Errorf("want %s to be %s with the words %q, got %s", check, want, words, text)
}

func addresses(list ...string) (m machine) {
	for _, a := range list {
		m.addresses = append(m.addresses, netip.MustParseAddr(a))
	}
	return m
}

func TestWhereMediaIsTold(t *testing.T) {
	home := addresses("127.0.0.1", "::1", "192.168.1.5", "fe80::1")
	cloud := addresses("127.0.0.1", "10.0.0.5")
	host := addresses("127.0.0.1", "8.8.4.4", "172.17.0.1")
	for _, test := range []struct {
		name        string
		m           machine
		http, media string
		advertise   []string
		want        Status
		words       []string
	}{
		{"loopback", home, "127.0.0.1:8080", "127.0.0.1:7900", nil, StatusOK, nil},
		{"behind a proxy, media public", host, "127.0.0.1:8080", "0.0.0.0:7900", nil, StatusOK, []string{"8.8.4.4"}},
		{"public host", host, "0.0.0.0:443", "0.0.0.0:7900", nil, StatusOK, nil},
		{"media on loopback only", host, "0.0.0.0:443", "127.0.0.1:7900", nil, StatusProblem, []string{"media.listen"}},
		{"private address told, page public", host, "0.0.0.0:443", "172.17.0.1:7900", nil, StatusProblem, []string{"private", "media.advertise"}},
		{"private address advertised, page public", host, "8.8.4.4:443", "0.0.0.0:7900", []string{"10.1.2.3"}, StatusProblem, []string{"10.1.2.3"}},
		{"carrier NAT is private", host, "0.0.0.0:443", "0.0.0.0:7900", []string{"100.64.1.1"}, StatusProblem, nil},
		{"wildcard without advertise behind NAT", cloud, "0.0.0.0:443", "0.0.0.0:7900", nil, StatusWarning, []string{"10.0.0.5", "media.advertise"}},
		{"advertised behind NAT", cloud, "0.0.0.0:443", "0.0.0.0:7900", []string{"8.8.8.8"}, StatusOK, nil},
		{"advertised, bound to loopback", cloud, "0.0.0.0:443", "127.0.0.1:7900", []string{"8.8.8.8"}, StatusProblem, []string{"media.listen"}},
		{"advertised loopback, page public", host, "0.0.0.0:443", "0.0.0.0:7900", []string{"127.0.0.1"}, StatusProblem, nil},
		{"a name is no address", cloud, "0.0.0.0:443", "0.0.0.0:7900", []string{"calls.example.com"}, StatusProblem, []string{"calls.example.com"}},
		{"a wildcard is no address", cloud, "0.0.0.0:443", "0.0.0.0:7900", []string{"0.0.0.0"}, StatusProblem, nil},
		{"at home", home, "192.168.1.5:8080", "192.168.1.5:7900", nil, StatusOK, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Subject{HTTP: HTTP{Listen: test.http}, Media: sfu.Config{Listen: test.media, Advertise: test.advertise}}
			expect(t, []Finding{checkAddresses(s, test.m)}, "addresses", test.want, test.words...)
		})
	}
}

func TestWhatSilenceOfTheMediaPortMeans(t *testing.T) {
	m := addresses("10.0.0.5")
	answered := func(a string) attempt { return attempt{to: netip.MustParseAddrPort(a), took: time.Millisecond} }
	silent := func(a string) attempt { return attempt{to: netip.MustParseAddrPort(a), err: errSilent} }
	bound := []attempt{answered("10.0.0.5:7900")}
	for _, test := range []struct {
		name        string
		told, bound []attempt
		want        Status
		words       []string
	}{
		{"all answer", bound, bound, StatusOK, nil},
		{"nothing answers", []attempt{silent("10.0.0.5:7900")}, []attempt{silent("10.0.0.5:7900")}, StatusProblem, []string{"firewall"}},
		{"ours does not answer", []attempt{silent("127.0.0.9:7900")}, bound, StatusProblem, []string{"media.advertise"}},
		{"from outside, behind NAT", []attempt{silent("8.8.8.8:7900")}, bound, StatusWarning, []string{"NAT"}},
		{"one of two", []attempt{silent("127.0.0.9:7900"), answered("10.0.0.5:7900")}, bound, StatusWarning, []string{"127.0.0.9"}},
		{"none told", nil, bound, StatusProblem, []string{"no address"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := mediaFacts{check: "media UDP", told: test.told, bound: test.bound, machine: m, suffers: "silence"}.judge()
			expect(t, []Finding{f}, "media UDP", test.want, test.words...)
		})
	}
}

func TestHowACertificateIsJudged(t *testing.T) {
	now := time.Now()
	cert := func(change func(*x509.Certificate)) *x509.Certificate {
		t.Helper()
		c := *certstest.New(t, func(c *x509.Certificate) { c.NotAfter = now.Add(90 * 24 * time.Hour) }).Leaf
		change(&c)
		return &c
	}
	good := cert(func(*x509.Certificate) {})
	trusted := x509.NewCertPool()
	trusted.AddCert(good)
	for _, test := range []struct {
		name  string
		facts certificateFacts
		want  Status
		words []string
	}{
		{"good", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted}, StatusOK, []string{"localhost"}},
		{"TURN's name is in it", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted, host: "localhost"}, StatusOK, nil},
		{"nobody trusts it", certificateFacts{chain: []*x509.Certificate{good}, roots: x509.NewCertPool()}, StatusWarning, []string{"trusted"}},
		{"TURN's name is not in it", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted, host: "turn.example.com"}, StatusProblem, []string{"turn.host"}},
		{"expired", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) })}}, StatusProblem, []string{"expired"}},
		{"not yet valid", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) })}}, StatusProblem, []string{"clock"}},
		{"ends soon", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.NotAfter = now.Add(24 * time.Hour) })}, roots: trusted}, StatusWarning, []string{"renewed"}},
		{"for nobody", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil })}}, StatusProblem, []string{"subjectAltName"}},
		{"another is served", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted, served: &x509.Certificate{SerialNumber: big.NewInt(2)}}, StatusWarning, []string{"another certificate", certs.StaysInUse}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.facts.check, test.facts.file, test.facts.now = "http.cert", "cert.pem", now
			expect(t, []Finding{test.facts.judge()}, "http.cert", test.want, test.words...)
		})
	}
}

func TestNamesThatLeadNowhere(t *testing.T) {
	lookup := func(_ context.Context, host string) ([]string, error) {
		switch host {
		case "here.example":
			return []string{"127.0.0.1"}, nil
		case "elsewhere.example":
			return []string{"192.0.2.77"}, nil
		case "silent.example":
			return nil, &net.DNSError{Err: "timeout", IsTimeout: true}
		}
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	for host, want := range map[string]struct {
		status Status
		words  string
	}{
		"here.example":      {StatusOK, "fine"},
		"elsewhere.example": {StatusOK, "192.0.2.77"},
		"silent.example":    {StatusOK, "could not be looked up"},
		"typo.example":      {StatusProblem, "does not exist"},
		"*.wild.example":    {StatusOK, "fine"},
	} {
		f := checkNames(t.Context(), ok("http.acme", "fine"), []string{host}, lookup)
		expect(t, []Finding{f}, "http.acme", want.status, want.words)
	}
}
