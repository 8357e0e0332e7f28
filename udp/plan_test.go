package udp

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRunsAreWhatTheKernelTakes(t *testing.T) {
	a, b := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:1")
	type p struct {
		to   netip.AddrPort
		size int
	}
	for name, c := range map[string]struct {
		in   []p
		want []run // first, count, size
	}{
		"nothing":                   {nil, nil},
		"equal sizes":               {[]p{{a, 100}, {a, 100}, {a, 100}}, []run{{0, 3, 100}}},
		"a shorter one ends it":     {[]p{{a, 100}, {a, 50}, {a, 50}}, []run{{0, 2, 100}, {2, 1, 50}}},
		"a longer one begins anew":  {[]p{{a, 50}, {a, 100}}, []run{{0, 1, 50}, {1, 1, 100}}},
		"destinations interleaved":  {[]p{{a, 9}, {b, 9}, {a, 9}, {b, 9}}, []run{{0, 2, 9}, {1, 2, 9}}},
		"at most four":              {[]p{{a, 9}, {a, 9}, {a, 9}, {a, 9}, {a, 9}}, []run{{0, 4, 9}, {4, 1, 9}}},
		"too large for any segment": {[]p{{a, 1401}, {a, 1401}}, []run{{0, 1, 1401}, {1, 1, 1401}}},
	} {
		t.Run(name, func(t *testing.T) {
			var q queue
			for _, p := range c.in {
				q.add(make([]byte, p.size), p.to)
			}
			var plan plan
			got := plan.make(q.packets, 4, nil)
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(run{})); d != "" && len(c.want)+len(got) > 0 {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestEveryPacketIsInOneRunInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		for range rapid.IntRange(0, 200).Draw(t, "packets") {
			to := netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(rapid.IntRange(1, 4).Draw(t, "to")))
			q.add(make([]byte, rapid.SampledFrom([]int{0, 10, 1200, 1200, 1200, 1500, 2000}).Draw(t, "size")), to)
		}
		var plan plan
		last := map[netip.AddrPort]int32{}
		seen := 0
		for _, r := range plan.make(q.packets, 64, nil) {
			i, total := r.first, int32(0)
			for n := range r.count {
				p := q.packets[i]
				if before, ok := last[p.to]; ok && before >= i {
					t.Fatalf("packet %d to %s after %d", i, p.to, before)
				}
				if p.to != q.packets[r.first].to || p.size > r.size || n < r.count-1 && p.size != r.size {
					t.Fatalf("packet %d does not belong to run %+v", i, r)
				}
				last[p.to] = i
				total += p.size
				i = p.next
				seen++
			}
			if r.count > 1 && (total > maxRunBytes || r.size > maxSegment) || r.count > 64 {
				t.Fatalf("run %+v of %d bytes is too large", r, total)
			}
		}
		if seen != len(q.packets) {
			t.Fatalf("%d of %d packets in runs", seen, len(q.packets))
		}
	})
}
