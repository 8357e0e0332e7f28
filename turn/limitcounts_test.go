package turn

import (
	"net"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/limit/limittest"
)

// Each limit counts what it refuses under its key, and no other limit does.
func TestEveryLimitOfTURNIsMeasured(t *testing.T) {
	relay := func(t *testing.T, s *Server) { s.newClient(t, "udp", "alice").code(methodAllocate, overUDP) }
	relays := func(n int) func(*testing.T, *Server) {
		return func(t *testing.T, s *Server) {
			for range n {
				relay(t, s)
			}
		}
	}
	media := func(t *testing.T, s *Server) {
		c := bound(t, s, "udp", "alice", echo(t))
		for range 20 {
			c.send(c.channelData(0x4000, make([]byte, 1000)))
		}
	}
	peers := func(m method) func(*testing.T, *Server) {
		return func(t *testing.T, s *Server) {
			c := s.newClient(t, "udp", "alice")
			c.allocate()
			for i := range uint16(3) {
				to := peerIs(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i)}), 5000))
				if m == methodChannelBind {
					c.code(m, channelIs(0x4000+i), to)
				} else {
					c.code(m, to)
				}
			}
		}
	}
	streams := func(t *testing.T, s *Server) {
		for range 2 {
			conn, err := net.Dial("tcp", s.address("tcp"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
		}
	}
	bindings := func(t *testing.T, s *Server) {
		c := s.newClient(t, "udp", "alice")
		for range 50 {
			c.send(c.request(methodBinding))
		}
	}
	for key, test := range map[string]struct {
		set  func(*Config)
		over func(*testing.T, *Server)
	}{
		"quota.per_user":                 {func(c *Config) { c.Quota.PerUser = 1 }, relays(2)},
		"quota.per_address":              {func(c *Config) { c.Quota.PerAddress = 1 }, relays(2)},
		"quota.total":                    {func(c *Config) { c.Quota.Total = 1 }, relays(2)},
		"quota.permissions":              {func(c *Config) { c.Quota.Permissions = 2 }, peers(methodCreatePermission)},
		"quota.channels":                 {func(c *Config) { c.Quota.Channels = 2 }, peers(methodChannelBind)},
		"quota.relay_kbps":               {func(c *Config) { c.Quota.RelayKbps = 8 }, media},
		"quota.user_kbps":                {func(c *Config) { c.Quota.UserKbps = 8 }, media},
		"quota.total_kbps":               {func(c *Config) { c.Quota.TotalKbps = 8 }, media},
		"limits.connections":             {func(c *Config) { c.Limits.Connections = 1 }, streams},
		"limits.connections_per_address": {func(c *Config) { c.Limits.ConnectionsPerAddress = 1 }, streams},
		"limits.silent":                  {func(c *Config) { c.Limits.Silent = 1 }, streams},
		"limits.silent_per_address":      {func(c *Config) { c.Limits.SilentPerAddress = 1 }, streams},
		"limits.answers_per_address":     {func(c *Config) { c.Limits.AnswersPerAddress = 1 }, bindings},
		"limits.answers":                 {func(c *Config) { c.Limits.Answers = 1 }, bindings},
		"limits.requests_per_relay": {func(c *Config) { c.Limits.RequestsPerRelay = 1 }, func(t *testing.T, s *Server) {
			c := s.newClient(t, "udp", "alice")
			c.allocate()
			for range 3 {
				c.send(c.request(methodRefresh, number(attrLifetime, 600)))
			}
		}},
	} {
		t.Run(key, func(t *testing.T) {
			cfg := testConfig(t)
			test.set(&cfg)
			s := start(t, cfg)
			test.over(t, s)
			reg := prometheus.NewRegistry()
			reg.MustRegister(s.metrics.limited, s.metrics.connections)
			until(t, "the refusal is counted", func() bool {
				counted := false
				for limit, n := range limittest.Refused(t, reg) {
					if limit == "turn."+key {
						counted = n > 0
					} else if n > 0 {
						t.Fatalf("%s has counted %d", limit, n)
					}
				}
				return counted
			})
		})
	}
}
