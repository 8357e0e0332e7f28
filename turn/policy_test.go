package turn

import (
	"net/netip"
	"strings"
	"testing"

	"carillon/inet"
)

// publicConfig is a server that others reach.
func publicConfig() Config {
	return Config{
		Secrets: []string{secret}, UDP: []string{"192.0.2.10:3478"}, TCP: []string{}, TLS: []string{},
		RelayAddresses: []string{"198.51.100.7/192.0.2.10"},
	}
}

// disguises are ways to name an address that a public relay must never reach, by the word in
// the rule that has to catch it. The list of addresses is in the order of the notations.
var disguises = []struct{ peer, rule string }{
	// 127.0.0.1
	{"127.0.0.1", "loopback"},
	{"127.0.0.2", "loopback"},
	{"127.255.255.254", "loopback"},
	{"::1", "loopback"},
	{"::ffff:127.0.0.1", "loopback"},
	{"::ffff:7f00:1", "loopback"},
	{"::127.0.0.1", "loopback"},
	{"::ffff:0:127.0.0.1", "loopback"},
	{"64:ff9b::127.0.0.1", "loopback"},
	{"64:ff9b::7f00:1", "loopback"},
	{"64:ff9b:1::127.0.0.1", "local NAT64"},
	{"64:ff9b:1:ffff:0:0:127.0.0.1", "local NAT64"},
	{"2002:7f00:1::", "loopback"},
	{"2002:7f00:1::1", "loopback"},
	{"2002:7f00:0001:ffff:ffff:ffff:ffff:ffff", "loopback"},
	{"2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback"}, // Teredo stores the address with its bits turned
	{"2001:db8::5efe:127.0.0.1", "loopback"},             // ISATAP
	{"2a00::200:5efe:127.0.0.1", "loopback"},             // ISATAP, global
	{"0.0.0.0", "this network"},
	{"0.1.2.3", "this network"},
	{"::", "unspecified"},
	{"::ffff:0.0.0.0", "this network"},
	// 169.254.169.254
	{"169.254.169.254", "metadata"},
	{"::ffff:169.254.169.254", "metadata"},
	{"::ffff:a9fe:a9fe", "metadata"},
	{"::169.254.169.254", "metadata"},
	{"::ffff:0:a9fe:a9fe", "metadata"},
	{"64:ff9b::169.254.169.254", "metadata"},
	{"64:ff9b:1::a9fe:a9fe", "local NAT64"},
	{"2002:a9fe:a9fe::", "metadata"},
	{"2002:a9fe:a9fe:1::80", "metadata"},
	{"2001::5601:5601", "metadata"}, // Teredo
	{"fe80::5efe:169.254.169.254", "metadata"},
	{"169.254.170.2", "metadata"},
	{"100.100.100.200", "metadata"},
	{"168.63.129.16", "metadata"},
	{"fd00:ec2::254", "metadata"},
	{"fd00:ec2::254%eth0", "metadata"},
	// The rest of what is not the Internet
	{"10.0.0.1", "private"},
	{"172.16.0.1", "private"},
	{"172.31.255.255", "private"},
	{"192.168.1.1", "private"},
	{"::ffff:192.168.1.1", "private"},
	{"2002:c0a8:101::1", "private"},
	{"64:ff9b::10.0.0.1", "private"},
	{"100.64.0.1", "carrier"},
	{"169.254.1.1", "link-local"},
	{"fe80::1", "link-local"},
	{"fe80::1%eth0", "link-local"},
	{"fc00::1", "private"},
	{"fd12:3456::1", "private"},
	{"fec0::1", "site-local"},
	{"224.0.0.1", "multicast"},
	{"239.255.255.250", "multicast"},
	{"ff02::1", "multicast"},
	{"255.255.255.255", "reserved"},
	{"240.0.0.1", "reserved"},
	{"192.0.2.1", "documentation"},
	{"203.0.113.9", "documentation"},
	{"2001:db8::1", "documentation"},
	{"198.18.0.1", "benchmarks"},
	{"192.0.0.8", "protocol"},
	{"192.88.99.1", "6to4"},
	{"4000::1", "not global"},
	{"100::1", "not global"},
}

func TestAPublicRelayNeverReachesADisguise(t *testing.T) {
	if len(disguises) < 40 {
		t.Fatalf("only %d rows", len(disguises))
	}
	for _, row := range disguises {
		v, err := CheckPeer(publicConfig(), netip.MustParseAddr(row.peer))
		if err != nil {
			t.Fatal(err)
		}
		if v.Allowed || !strings.Contains(v.Rule, row.rule) {
			t.Errorf("%s: %+v, want it denied for %q", row.peer, v, row.rule)
		}
	}
}

func TestAPublicRelayReachesTheInternet(t *testing.T) {
	for _, peer := range []string{
		"8.8.8.8", "1.1.1.1", "193.99.144.80", "::ffff:8.8.8.8", "2606:4700::1111", "2a02:2e0:3fe:1001:302::", "2002:808:808::1",
		"64:ff9b::8.8.8.8", "126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
		"192.167.255.255", "223.255.255.255", "11.0.0.0",
	} {
		v, err := CheckPeer(publicConfig(), netip.MustParseAddr(peer))
		if err != nil || !v.Allowed || v.SomePorts {
			t.Errorf("%s: %+v, %v, want it allowed", peer, v, err)
		}
	}
}

func TestDenyWinsOverAllowAndPolicy(t *testing.T) {
	media := []Media{{netip.MustParseAddrPort("198.51.100.7:7900"), netip.MustParseAddrPort("0.0.0.0:7900")}}
	for name, row := range map[string]struct {
		change func(*Config)
		peer   string
		want   Verdict
	}{
		"own address":              {nil, inet.Interfaces()[0].String(), Verdict{}},
		"own relays, as shown":     {nil, "198.51.100.7", Verdict{Allowed: true, SomePorts: true}},
		"own relays, as bound":     {nil, "192.0.2.10", Verdict{Allowed: true, SomePorts: true}},
		"own relays, disguised":    {nil, "::ffff:192.0.2.10", Verdict{Allowed: true, SomePorts: true}},
		"allow opens":              {func(c *Config) { c.Peers.Allow = []string{"10.1.0.0/16"} }, "10.1.2.3", Verdict{Allowed: true}},
		"allow opens no more":      {func(c *Config) { c.Peers.Allow = []string{"10.1.0.0/16"} }, "10.2.2.3", Verdict{}},
		"allow, disguised":         {func(c *Config) { c.Peers.Allow = []string{"10.1.0.0/16"} }, "::ffff:10.1.2.3", Verdict{Allowed: true}},
		"deny closes":              {func(c *Config) { c.Peers.Deny = []string{"8.8.8.8"} }, "8.8.8.8", Verdict{}},
		"deny closes the disguise": {func(c *Config) { c.Peers.Deny = []string{"8.8.8.8"} }, "2002:808:808::1", Verdict{}},
		"deny a disguise":          {func(c *Config) { c.Peers.Deny = []string{"2002::/16"} }, "2002:808:808::1", Verdict{}},
		"deny wins over allow": {func(c *Config) {
			c.Peers.Allow, c.Peers.Deny = []string{"10.0.0.0/8"}, []string{"10.1.0.0/16"}
		}, "10.1.2.3", Verdict{}},
		"deny wins over own relays": {func(c *Config) { c.Peers.Deny = []string{"198.51.100.7"} }, "198.51.100.7", Verdict{}},
		"custom denies":             {func(c *Config) { c.Peers.Policy = PolicyCustom }, "8.8.8.8", Verdict{}},
		"custom allows": {func(c *Config) {
			c.Peers = Peers{Policy: PolicyCustom, Allow: []string{"8.8.8.0/24"}}
		}, "8.8.8.8", Verdict{Allowed: true}},
		"own-sfu denies":        {func(c *Config) { c.Media = media }, "8.8.8.8", Verdict{}},
		"own-sfu ignores allow": {func(c *Config) { c.Media, c.Peers.Allow = media, []string{"8.8.8.8"} }, "8.8.8.8", Verdict{}},
		"own-sfu allows media":  {func(c *Config) { c.Media = media }, "198.51.100.7", Verdict{Allowed: true, SomePorts: true}},
		"loopback alone":        {func(c *Config) { *c = Config{} }, "127.0.0.1", Verdict{Allowed: true}},
		"loopback alone, else":  {func(c *Config) { *c = Config{} }, "10.0.0.1", Verdict{}},
		"loopback and more":     {func(c *Config) { c.TCP = []string{"127.0.0.1:3478"} }, "127.0.0.1", Verdict{}},
	} {
		t.Run(name, func(t *testing.T) {
			c := publicConfig()
			if row.change != nil {
				row.change(&c)
			}
			got, err := CheckPeer(c, netip.MustParseAddr(row.peer))
			if err != nil {
				t.Fatal(err)
			}
			if got.Allowed != row.want.Allowed || got.SomePorts != row.want.SomePorts {
				t.Errorf("%s: %+v, want %+v", row.peer, got, row.want)
			}
		})
	}
}

func TestAMalformedRuleStopsTheStart(t *testing.T) {
	for _, rule := range []string{"10.0.0.0/33", "10.0.0.1/8", "10.0.0", "example.com", "10.0.0.0-10.0.0.9", "::ffff:10.0.0.0/104", "", " 10.0.0.1", "fe80::1%eth0", "010.0.0.1"} {
		for _, key := range []string{"allow", "deny"} {
			c := publicConfig()
			if key == "allow" {
				c.Peers.Allow = []string{rule}
			} else {
				c.Peers.Deny = []string{rule}
			}
			if _, err := New(c, discard, nil); err == nil || !strings.Contains(err.Error(), "turn.peers."+key) {
				t.Errorf("%s %q: %v, want an error that names the key", key, rule, err)
			}
		}
	}
}

func TestAPublicAddressNeedsASecret(t *testing.T) {
	c := Config{UDP: []string{"0.0.0.0:0"}}
	if _, err := New(c, discard, nil); err == nil || !strings.Contains(err.Error(), "turn.secrets") {
		t.Errorf("got %v, want a refusal that names turn.secrets", err)
	}
}
