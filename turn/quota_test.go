package turn

import (
	"fmt"
	"testing"
	"time"
)

func TestEndedRelaysGiveTheirQuotaBack(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 1
	s := start(t, cfg)
	for _, transport := range []string{"udp", "tcp", "tls"} {
		for range 3 {
			c := s.newClient(t, transport, "alice")
			c.allocate()
			if got := s.newClient(t, "udp", "alice").code(methodAllocate, overUDP); got != 486 {
				t.Fatalf("a second relay is answered with %d, want 486", got)
			}
			if transport == "udp" {
				c.code(methodRefresh, number(attrLifetime, 0))
			} else {
				c.conn.Close()
			}
			until(t, "the relay is given back", func() bool { return s.Relays() == 0 })
		}
	}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	if len(s.quotas.users)+len(s.quotas.addresses)+s.quotas.total != 0 {
		t.Errorf("quotas remember %v, %v, %d", s.quotas.users, s.quotas.addresses, s.quotas.total)
	}
}

func TestQuotaIsPerUserNotPerCredential(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quota.PerUser = 2
	s := start(t, cfg)
	var codes []int
	for i := range 3 {
		name, password := Credential(secret, "alice", time.Now().Add(time.Hour+time.Duration(i)*time.Minute))
		codes = append(codes, dialTestClient(t, "udp", s.address("udp"), name, password).code(methodAllocate, overUDP))
	}
	if fmt.Sprint(codes) != "[0 0 486]" {
		t.Errorf("three credentials of one user are answered with %v, want 0 0 486", codes)
	}
}

func TestBandwidthIsBounded(t *testing.T) {
	for name, set := range map[string]func(*Quota){
		"relay": func(q *Quota) { q.RelayKbps = 80 },
		"user":  func(q *Quota) { q.UserKbps = 160 },
		"total": func(q *Quota) { q.TotalKbps = 160 },
	} {
		for _, transport := range []string{"udp", "tcp"} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				cfg := testConfig(t)
				set(&cfg.Quota)
				s := start(t, cfg)
				c := bound(t, s, transport, "alice", echo(t))
				for range 200 {
					c.send(c.channelData(0x4000, make([]byte, 1000)))
				}
				until(t, "all are handled", func() bool { return s.sum(toPeers)+s.sum(count(dropRate)) >= 200 })
				// 80 kbit/s are 10 packets a second; a burst of a quarter second is free.
				if got := s.sum(toPeers); got < 2 || got > 60 {
					t.Errorf("%d of 200 packets passed, want few", got)
				}
			})
		}
	}
}
