package preview

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"carillon/inet"
	"carillon/limit"
)

// disguises are addresses that strangers must not have connected to, by a word in the reason.
var disguises = []struct{ address, why string }{
	// 127.0.0.1
	{"127.0.0.1", "loopback"},
	{"127.0.0.2", "loopback"},
	{"127.255.255.254", "loopback"},
	{"::1", "loopback"},
	{"::ffff:127.0.0.1", "loopback"},
	{"::ffff:7f00:1", "loopback"},
	{"::127.0.0.1", "disguise"},
	{"::ffff:0:127.0.0.1", "disguise"},
	{"64:ff9b::127.0.0.1", "disguise"},
	{"64:ff9b::7f00:1", "disguise"},
	{"64:ff9b:1::127.0.0.1", "local NAT64"},
	{"64:ff9b:1:ffff:0:0:127.0.0.1", "local NAT64"},
	{"2002:7f00:1::", "disguise"},
	{"2002:7f00:1::1", "disguise"},
	{"2002:7f00:0001:ffff:ffff:ffff:ffff:ffff", "disguise"},
	{"2001:0:4136:e378:8000:63bf:80ff:fffe", "disguise"}, // Teredo
	{"2001:db8::5efe:127.0.0.1", "disguise"},             // ISATAP
	{"2a00::200:5efe:127.0.0.1", "disguise"},             // ISATAP, global
	{"0.0.0.0", "this network"},
	{"0.1.2.3", "this network"},
	{"0.255.255.255", "this network"},
	{"::", "unspecified"},
	{"::ffff:0.0.0.0", "this network"},
	// Metadata of clouds
	{"169.254.169.254", "metadata"},
	{"::ffff:169.254.169.254", "metadata"},
	{"::ffff:a9fe:a9fe", "metadata"},
	{"::169.254.169.254", "disguise"},
	{"::ffff:0:a9fe:a9fe", "disguise"},
	{"64:ff9b::169.254.169.254", "disguise"},
	{"64:ff9b:1::a9fe:a9fe", "local NAT64"},
	{"2002:a9fe:a9fe::", "disguise"},
	{"2002:a9fe:a9fe:1::80", "disguise"},
	{"2001::5601:5601", "disguise"}, // Teredo
	{"fe80::5efe:169.254.169.254", "disguise"},
	{"169.254.170.2", "metadata"},
	{"100.100.100.200", "metadata"},
	{"168.63.129.16", "metadata"},
	{"192.0.0.192", "metadata"},
	{"fd00:ec2::254", "metadata"},
	{"fd20:ce::254", "metadata"},
	// Public addresses in disguise: a tunnel leads who knows where
	{"64:ff9b::8.8.8.8", "disguise"},
	{"2002:808:808::1", "disguise"},
	{"::8.8.8.8", "disguise"},
	// The rest of what is not the Internet
	{"10.0.0.1", "private"},
	{"10.255.255.255", "private"},
	{"172.16.0.1", "private"},
	{"172.31.255.255", "private"},
	{"192.168.0.1", "private"},
	{"192.168.255.255", "private"},
	{"::ffff:192.168.1.1", "private"},
	{"100.64.0.1", "carrier"},
	{"100.127.255.255", "carrier"},
	{"169.254.1.1", "link-local"},
	{"fe80::1", "link-local"},
	{"febf::1", "link-local"},
	{"fc00::1", "private"},
	{"fd12:3456::1", "private"},
	{"fec0::1", "site-local"},
	{"224.0.0.1", "multicast"},
	{"239.255.255.250", "multicast"},
	{"ff02::1", "multicast"},
	{"ff0e::1", "multicast"},
	{"240.0.0.1", "reserved"},
	{"255.255.255.255", "reserved"},
	{"192.0.2.1", "documentation"},
	{"198.51.100.1", "documentation"},
	{"203.0.113.9", "documentation"},
	{"2001:db8::1", "documentation"},
	{"3fff::1", "documentation"},
	{"198.18.0.1", "benchmarks"},
	{"198.19.255.255", "benchmarks"},
	{"192.0.0.8", "protocol"},
	{"192.88.99.1", "6to4"},
	{"192.31.196.1", "AS112"},
	{"5f00::1", "segment"},
	{"4000::1", "not global"},
	{"100::1", "not global"},
}

// Each is refused however it is named: in the link, by a name that leads to it, by a name that also
// leads to a public address, and where the system is told to connect.
func TestEveryDisguiseIsRefusedAtTheDial(t *testing.T) {
	if len(disguises) < 60 {
		t.Fatalf("only %d rows", len(disguises))
	}
	policy, err := newPolicy(Config{Ports: Defaults().Ports}, nil)
	if err != nil {
		t.Fatal(err)
	}
	policy.own = func(netip.Addr) bool { return false }
	for _, row := range disguises {
		address := netip.MustParseAddr(row.address)
		literal := "http://" + row.address + "/"
		if address.Is6() {
			literal = "http://[" + row.address + "]/"
		}
		for how, resolved := range map[string][]netip.Addr{
			literal: nil, "http://first.example/": {address}, "http://second.example/": {netip.MustParseAddr("8.8.8.8"), address},
			"http://zone.example/": {address.WithZone("lo")},
		} {
			d := &dialer{
				policy: policy, targets: limit.NewKeys[netip.Addr](limit.Rate{}, 1), over: limit.NewCount(""), now: time.Now,
				resolve: func(context.Context, string, string) ([]netip.Addr, error) { return resolved, nil },
			}
			link, err := parseLink(how)
			if err != nil {
				t.Errorf("%s: %v", how, err)
				continue
			}
			_, err = newFetcher(policy, d, &tls.Config{}, "", 3).get(t.Context(), link, "", 100)
			refused(t, row.address+" as "+how, err, row.why)
		}
		// Even if all that were forgotten.
		conn, err := (&dialer{policy: policy}).connect(t.Context(), netip.AddrPortFrom(address, 80))
		if err == nil {
			conn.Close()
		}
		refused(t, row.address+" where it is connected to", err, row.why)
	}
}

func refused(t *testing.T, what string, err error, why string) {
	t.Helper()
	f, ok := errors.AsType[forbidden](err)
	if !ok || !strings.Contains(f.why, why) {
		t.Errorf("%s: got %v, want it refused as %s", what, err, why)
	}
}

func TestOnlyPortsOfTheWebAreConnectedTo(t *testing.T) {
	policy, err := newPolicy(Config{Ports: Defaults().Ports}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []uint16{0, 1, 22, 25, 53, 81, 442, 444, 2375, 3306, 5432, 6379, 8080, 9090, 9200, 11211, 65535} {
		refused(t, "a port", policy.address(netip.AddrPortFrom(netip.MustParseAddr("8.8.8.8"), port)), "previews.ports")
	}
	for _, port := range []uint16{80, 443} {
		if err := policy.address(netip.AddrPortFrom(netip.MustParseAddr("2606:4700::6810:1"), port)); err != nil {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

// What this machine listens on is not asked for under any of its addresses, even where the operator
// allows the addresses.
func TestOwnListenersAndAddressesAreRefused(t *testing.T) {
	policy, err := newPolicy(Config{Ports: []int{80, 443, 9090}, AllowAddresses: []string{"127.0.0.0/8", "8.8.8.0/24", "::1"}}, []netip.AddrPort{
		netip.MustParseAddrPort("127.0.0.1:9090"), netip.MustParseAddrPort("[::]:443"), netip.MustParseAddrPort("8.8.8.8:0"), netip.MustParseAddrPort("8.8.4.4:0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	policy.own = func(a netip.Addr) bool { return a == netip.MustParseAddr("1.1.1.1") }
	for to, why := range map[string]string{
		"127.0.0.1:9090": "listener", "127.0.0.1:443": "listener", "127.9.9.9:443": "listener", "[::1]:443": "listener", "1.1.1.1:443": "listener",
		"8.8.8.8:443": "listener", "1.1.1.1:80": "this machine", "8.8.4.4:80": "this machine", "[::ffff:127.0.0.1]:9090": "listener", "[2002:101:101::]:443": "listener",
	} {
		refused(t, to, policy.address(netip.MustParseAddrPort(to)), why)
	}
	for _, to := range []string{"127.0.0.1:80", "127.0.0.2:9090", "8.8.8.8:80", "9.9.9.9:443"} {
		if err := policy.address(netip.MustParseAddrPort(to)); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	for _, a := range inet.Interfaces() {
		real, err := newPolicy(Config{Ports: []int{80}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if real.address(netip.AddrPortFrom(a, 80)) == nil {
			t.Errorf("%s, of this machine, is connected to", a)
		}
	}
}

func TestSomeHostsAreNeverAsked(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { page200(w, titled("secret")) }, func(c *Config, _ *Deps) {
		c.Deny = []string{"evil.example", "8.8.8.8", "bücher.example"}
	})
	for _, host := range []string{
		"metadata.google.internal", "metadata.google.internal.", "a.localhost", "instance-data.ec2.internal", "evil.example", "EVIL.example", "www.evil.example", "8.8.8.8", "xn--bcher-kva.example",
	} {
		if title := w.titleOf(w.url(host, "/")); title != "" {
			t.Errorf("%s was asked", host)
		}
	}
	if len(w.asked) > 0 {
		t.Errorf("these names were resolved: %v", w.asked)
	}
	if title := w.titleOf(w.url("notevil.example", "/")); title != "secret" {
		t.Errorf("got %q of a host that is not denied", title)
	}
}

// A name is resolved once for a connection, and it is the address that was checked to which it goes;
// when it has another address at the next connection that one is checked.
func TestANameThatChangesItsAddressGainsNothing(t *testing.T) {
	inside, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	secret := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inside was asked") }))
	secret.Listener.Close()
	secret.Listener = inside
	secret.Start()
	defer secret.Close()
	var resolved int
	var w *world
	w = newWorld(t, func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/again" {
			http.Redirect(out, r, w.url("rebind.example", "/secret"), http.StatusFound)
			return
		}
		page200(out, titled("outside"))
	}, func(c *Config, d *Deps) {
		c.Ports = append(c.Ports, inside.Addr().(*net.TCPAddr).Port)
		d.Resolve = func(context.Context, string, string) ([]netip.Addr, error) {
			if resolved++; resolved == 1 {
				return []netip.Addr{here}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
		}
	})
	if title := w.titleOf(w.url("rebind.example", "/")); title != "outside" || resolved != 1 {
		t.Errorf("got %q after %d resolutions, want outside after 1", title, resolved)
	}
	resolved = 0
	if title := w.titleOf(w.url("rebind.example", "/again")); title != "" || resolved != 2 {
		t.Errorf("a redirect to the name again: got %q after %d resolutions, want nothing after 2", title, resolved)
	}
}

// Names are whole: nothing is looked for below the domains of our network.
func TestNamesAreResolvedAsWhole(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { page200(w, titled("x")) }, nil)
	w.get(w.url("shop.example", "/"))
	w.get(w.url("shop.example.", "/2"))
	if strings.Join(w.asked, " ") != "shop.example. shop.example." {
		t.Errorf("resolved %q", w.asked)
	}
}

// However many ask, one address is connected to only so often.
func TestOthersAreNotFlooded(t *testing.T) {
	var asked int
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { asked++; page200(w, titled("x")) }, func(c *Config, d *Deps) {
		c.Rates.Target, c.Rates.User = 5, 1000
		now := time.Now()
		d.Now = func() time.Time { return now }
	})
	for i := range 20 {
		w.get(w.url(strings.Repeat("a", i+1)+".victim.example", "/"))
	}
	if asked != 5 || w.targets.Value() != 15 {
		t.Errorf("asked %d times and refused %d, want 5 and 15", asked, w.targets.Value())
	}
}
