package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/config"
)

// doctor runs `carillon doctor --json` and returns what it found, and whether it failed.
func doctor(t *testing.T, env []string, args ...string) (all []finding, failed bool) {
	t.Helper()
	c := command(env, append([]string{"doctor", "--json"}, args...)...)
	out, err := c.Output()
	if exit, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || exit.ExitCode() != 1) {
		t.Fatalf("doctor: %v\n%s", err, out)
	}
	var report struct{ Findings []finding }
	if json.Unmarshal(out, &report) != nil {
		t.Fatalf("not JSON: %s", out)
	}
	return report.Findings, err != nil
}

// expect fails unless a finding of this check has the status and mentions every word.
func expect(t *testing.T, all []finding, check string, want status, words ...string) {
	t.Helper()
	for _, f := range all {
		text := f.Found + " " + f.Suffers + " " + f.Change
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(text, w)
		}
		if f.Check == check && f.Status == want && !missing {
			if want != statusOK && want != statusSkipped && (f.Suffers == "" || f.Change == "") {
				t.Errorf("it does not say what callers suffer and what to change: %+v", f)
			}
			return
		}
	}
	text, _ := json.MarshalIndent(all, "", " ")
	t.Errorf("want %s to be %s with the words %q, got %s", check, want, words, text)
}

func without(args []string, flag string) []string {
	for i, a := range args {
		if a == flag {
			return append(append([]string{}, args[:i]...), args[i+2:]...)
		}
	}
	return args
}

func TestDoctorFindsAHealthyServer(t *testing.T) {
	args := append(anyPorts, "--data", filepath.Join(t.TempDir(), "data")) // which carillon makes, for its user only
	p := start(t, nil, args...)
	all, failed := doctor(t, nil, args...)
	if failed {
		t.Error("it failed")
	}
	for _, f := range all {
		if f.Status == statusProblem {
			t.Errorf("got %+v", f)
		}
	}
	for _, check := range []string{"configuration", "data", "http.listen", "media.listen", "turn.udp", "turn.tcp", "private.listen", "addresses", "page", "sign-in", "media UDP", "media TCP", "clock"} {
		expect(t, all, check, statusOK)
	}
	expect(t, all, "turn", statusOK, "transport=udp", "reaches the media port")
	expect(t, all, "turn", statusOK, "transport=tcp", "reaches the media port")
	expect(t, all, "http.listen", statusOK, p.urls["http"])
	out, err := command(nil, append([]string{"doctor"}, args...)...).Output()
	if err != nil || !strings.Contains(string(out), "ok       sign-in") {
		t.Errorf("as text: %v\n%s", err, out)
	}
	// The callers that doctor plays leave nothing behind.
	until(t, "no peers", func() bool {
		_, text := get(t, p.urls["private"]+"/metrics")
		return strings.Contains(text, "carillon_sfu_peers 0")
	})
}

func TestDoctorWithoutAServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there")
	all, failed := doctor(t, nil, append(anyPorts, "--data", data)...)
	if failed {
		t.Error("it failed")
	}
	expect(t, all, "data", statusOK, "first start")
	expect(t, all, "http.listen", statusOK, "can be bound")
	expect(t, all, "calls", statusSkipped, "start it")
	if _, err := os.Stat(data); err == nil {
		t.Error("doctor made the data folder")
	}
}

func TestDoctorNamesTheKeyOfATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for flag, key := range map[string]string{"--listen": "http.listen", "--media": "media.listen", "--turn": "turn.tcp", "--private": "private.listen"} {
		all, failed := doctor(t, nil, append(without(anyPorts, flag), flag, taken.Addr().String(), "--data", t.TempDir())...)
		if !failed {
			t.Errorf("%s: it did not fail", flag)
		}
		expect(t, all, key, statusProblem, "taken", taken.Addr().String(), "set "+key)
	}
	all, _ := doctor(t, nil, append(without(anyPorts, "--listen"), "--listen", "198.51.100.1:0", "--data", t.TempDir())...)
	expect(t, all, "http.listen", statusProblem, "not an address of this machine")
	one := freePort(t)
	all, _ = doctor(t, nil, "--listen", "127.0.0.1:0", "--media", one, "--turn", one, "--private", "127.0.0.1:0", "--data", t.TempDir())
	expect(t, all, "turn.udp", statusProblem, "media.listen too", "set turn.udp")
}

func TestDoctorNamesAMistakeInTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte("[http]\nlistne = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, failed := doctor(t, nil, "--config", file)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "configuration", statusProblem, ":2:", "listne")
	all, _ = doctor(t, nil, append(without(anyPorts, "--listen"), "--listen", "0.0.0.0:0", "--data", t.TempDir())...)
	expect(t, all, "configuration", statusProblem, "auth.keys")
}

func TestDoctorNamesAWrongCertificate(t *testing.T) {
	cert, _ := writeCertificate(t, t.TempDir(), 1)
	_, other := writeCertificate(t, t.TempDir(), 2)
	for name, test := range map[string]struct {
		cert, key string
		words     []string
	}{
		"another's key": {cert, other, []string{"does not belong"}},
		"no such file":  {cert, filepath.Join(t.TempDir(), "none.pem"), []string{"no such file"}},
		"not PEM":       {cert, os.Args[0], []string{"PEM"}},
	} {
		t.Run(name, func(t *testing.T) {
			all, failed := doctor(t, []string{"CARILLON_HTTP_CERT=" + test.cert, "CARILLON_HTTP_KEY=" + test.key}, append(anyPorts, "--data", t.TempDir())...)
			if !failed {
				t.Error("it did not fail")
			}
			expect(t, all, "http.cert", statusProblem, test.words...)
		})
	}
	all, failed := doctor(t, []string{"CARILLON_TURN_TLS=127.0.0.1:0", "CARILLON_HTTP_LISTEN=127.0.0.1:1"}, append(without(anyPorts, "--listen"), "--data", t.TempDir())...)
	if !failed {
		t.Error("TURN over TLS without a certificate: it did not fail")
	}
	expect(t, all, "turn.cert", statusProblem, "turn.cert")
}

func TestDoctorNamesAnExpiredCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificateUntil(t, dir, 1, time.Now().Add(-time.Minute))
	env := []string{"CARILLON_HTTP_CERT=" + cert, "CARILLON_HTTP_KEY=" + key}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...) // a server does not refuse it
	all, failed := doctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "http.cert", statusProblem, "expired", "renew")
	expect(t, all, "media UDP", statusOK) // the rest is looked at all the same
}

func TestDoctorNamesAWrongAdvertisedAddress(t *testing.T) {
	env := []string{"CARILLON_MEDIA_ADVERTISE=127.0.0.9"}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...)
	all, failed := doctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "media UDP", statusProblem, "127.0.0.9", "media.advertise")
	expect(t, all, "media TCP", statusProblem, "127.0.0.9", "media.advertise")
}

func TestDoctorNamesATURNServerThatCannotBeReached(t *testing.T) {
	dead := freePort(t)
	env := []string{
		"CARILLON_TURN_HOST=127.0.0.9", // ours, under an address where nobody listens
		"CARILLON_ICE_URLS=turn:" + dead + "?transport=udp,turn:" + dead + "?transport=tcp",
		"CARILLON_ICE_SECRET=another's",
	}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...)
	all, failed := doctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "turn", statusProblem, "turn:127.0.0.9:", "cannot be reached", "turn.host")
	expect(t, all, "turn", statusProblem, dead+"?transport=udp", "cannot be reached", "ice.urls")
	expect(t, all, "turn", statusProblem, dead+"?transport=tcp", "cannot be reached", "ice.urls")
}

func TestDoctorTellsARefusalFromSilence(t *testing.T) {
	other := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	env := []string{"CARILLON_ICE_URLS=" + other.urls["turn-udp"], "CARILLON_ICE_SECRET=wrong"}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...)
	all, failed := doctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "turn", statusProblem, other.urls["turn-udp"], "opens no relay", "ice.secret")
}

func TestDoctorSeesThatKeysHaveChanged(t *testing.T) {
	args := append(anyPorts, "--data", t.TempDir())
	start(t, []string{"CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789"}, args...)
	all, failed := doctor(t, []string{"CARILLON_AUTH_KEYS=site=another890123456789012345678901234567890"}, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "sign-in", statusProblem, "restart")
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
		want        status
		words       []string
	}{
		{"loopback", home, "127.0.0.1:8080", "127.0.0.1:7900", nil, statusOK, nil},
		{"behind a proxy, media public", host, "127.0.0.1:8080", "0.0.0.0:7900", nil, statusOK, []string{"8.8.4.4"}},
		{"public host", host, "0.0.0.0:443", "0.0.0.0:7900", nil, statusOK, nil},
		{"media on loopback only", host, "0.0.0.0:443", "127.0.0.1:7900", nil, statusProblem, []string{"media.listen"}},
		{"private address told, page public", host, "0.0.0.0:443", "172.17.0.1:7900", nil, statusProblem, []string{"private", "media.advertise"}},
		{"private address advertised, page public", host, "8.8.4.4:443", "0.0.0.0:7900", []string{"10.1.2.3"}, statusProblem, []string{"10.1.2.3"}},
		{"carrier NAT is private", host, "0.0.0.0:443", "0.0.0.0:7900", []string{"100.64.1.1"}, statusProblem, nil},
		{"wildcard without advertise behind NAT", cloud, "0.0.0.0:443", "0.0.0.0:7900", nil, statusWarning, []string{"10.0.0.5", "media.advertise"}},
		{"advertised behind NAT", cloud, "0.0.0.0:443", "0.0.0.0:7900", []string{"8.8.8.8"}, statusOK, nil},
		{"advertised, bound to loopback", cloud, "0.0.0.0:443", "127.0.0.1:7900", []string{"8.8.8.8"}, statusProblem, []string{"media.listen"}},
		{"advertised loopback, page public", host, "0.0.0.0:443", "0.0.0.0:7900", []string{"127.0.0.1"}, statusProblem, nil},
		{"a name is no address", cloud, "0.0.0.0:443", "0.0.0.0:7900", []string{"calls.example.com"}, statusProblem, []string{"calls.example.com"}},
		{"a wildcard is no address", cloud, "0.0.0.0:443", "0.0.0.0:7900", []string{"0.0.0.0"}, statusProblem, nil},
		{"at home", home, "192.168.1.5:8080", "192.168.1.5:7900", nil, statusOK, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config.Defaults()
			c.HTTP.Listen, c.Media.Listen, c.Media.Advertise = test.http, test.media, test.advertise
			expect(t, []finding{checkAddresses(c, test.m)}, "addresses", test.want, test.words...)
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
		want        status
		words       []string
	}{
		{"all answer", bound, bound, statusOK, nil},
		{"nothing answers", []attempt{silent("10.0.0.5:7900")}, []attempt{silent("10.0.0.5:7900")}, statusProblem, []string{"firewall"}},
		{"ours does not answer", []attempt{silent("127.0.0.9:7900")}, bound, statusProblem, []string{"media.advertise"}},
		{"from outside, behind NAT", []attempt{silent("8.8.8.8:7900")}, bound, statusWarning, []string{"NAT"}},
		{"one of two", []attempt{silent("127.0.0.9:7900"), answered("10.0.0.5:7900")}, bound, statusWarning, []string{"127.0.0.9"}},
		{"none told", nil, bound, statusProblem, []string{"no address"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := mediaFacts{check: "media UDP", told: test.told, bound: test.bound, machine: m, suffers: "silence"}.judge()
			expect(t, []finding{f}, "media UDP", test.want, test.words...)
		})
	}
}

func TestHowACertificateIsJudged(t *testing.T) {
	now := time.Now()
	cert := func(change func(*x509.Certificate)) *x509.Certificate {
		t.Helper()
		certFile, keyFile := writeCertificateUntil(t, t.TempDir(), 1, now.Add(90*24*time.Hour))
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		c := *pair.Leaf
		change(&c)
		return &c
	}
	good := cert(func(*x509.Certificate) {})
	trusted := x509.NewCertPool()
	trusted.AddCert(good)
	for _, test := range []struct {
		name  string
		facts certificateFacts
		want  status
		words []string
	}{
		{"good", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted}, statusOK, []string{"localhost"}},
		{"TURN's name is in it", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted, host: "localhost"}, statusOK, nil},
		{"nobody trusts it", certificateFacts{chain: []*x509.Certificate{good}, roots: x509.NewCertPool()}, statusWarning, []string{"trusted"}},
		{"TURN's name is not in it", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted, host: "turn.example.com"}, statusProblem, []string{"turn.host"}},
		{"expired", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) })}}, statusProblem, []string{"expired"}},
		{"not yet valid", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) })}}, statusProblem, []string{"clock"}},
		{"ends soon", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.NotAfter = now.Add(24 * time.Hour) })}, roots: trusted}, statusWarning, []string{"renewed"}},
		{"for nobody", certificateFacts{chain: []*x509.Certificate{cert(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil })}}, statusProblem, []string{"subjectAltName"}},
		{"another is served", certificateFacts{chain: []*x509.Certificate{good}, roots: trusted, served: &x509.Certificate{SerialNumber: big.NewInt(2)}}, statusWarning, []string{"another certificate"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.facts.check, test.facts.file, test.facts.now = "http.cert", "cert.pem", now
			expect(t, []finding{test.facts.judge()}, "http.cert", test.want, test.words...)
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
		status status
		words  string
	}{
		"here.example":      {statusOK, "fine"},
		"elsewhere.example": {statusOK, "192.0.2.77"},
		"silent.example":    {statusOK, "could not be looked up"},
		"typo.example":      {statusProblem, "does not exist"},
		"*.wild.example":    {statusOK, "fine"},
	} {
		f := checkNames(t.Context(), ok("http.acme", "fine"), []string{host}, lookup)
		expect(t, []finding{f}, "http.acme", want.status, want.words)
	}
}
