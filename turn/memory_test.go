package turn

import (
	"fmt"
	"testing"
)

// TestAnIdleRelayCostsLessThan32KiB states what an idle relay costs in Go's memory; the kernel's socket comes
// on top.
func TestAnIdleRelayCostsLessThan32KiB(t *testing.T) {
	if raceEnabled {
		return // the detector needs memory of its own
	}
	cfg := testConfig(t)
	cfg.Quota.PerUser, cfg.Quota.PerAddress = -1, -1
	cfg.Limits.AnswersPerAddress, cfg.Limits.Answers = -1, -1
	s := start(t, cfg)
	const relays = 1000
	peer := echo(t)
	var testClients []*testClient
	for range relays {
		testClients = append(testClients, s.newClient(t, "udp", "alice"))
	}
	before := memory()
	for i, c := range testClients {
		c.name, c.password = Credential(secret, fmt.Sprint("user", i), s.wall().Add(1<<40))
		c.allocate()
		c.code(methodChannelBind, channelIs(0x4000), peerIs(peer))
	}
	each := int(memory()-before) / relays
	t.Logf("%d bytes per relay with one channel", each)
	if limit := 32 << 10; each > limit {
		t.Errorf("%d bytes per relay, want at most %d", each, limit)
	}
}
