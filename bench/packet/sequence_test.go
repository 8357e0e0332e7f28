package packet

import (
	"testing"
)

func TestNumbersGoOnAcrossTheRollOver(t *testing.T) {
	for _, start := range []uint16{0, 32767, 32768, 65535} {
		var s Sequence
		s.Add(start)
		if v := s.Add(start + 3); v.Advance != 3 || !v.Fresh {
			t.Errorf("from %d by 3: %+v", start, v)
		}
		if v := s.Add(start + 1); v.Advance != 0 || !v.Fresh {
			t.Errorf("a late packet after %d: %+v", start, v)
		}
		if v := s.Add(start + 1); v.Fresh {
			t.Errorf("a repeated packet after %d counts as new: %+v", start, v)
		}
		if v := s.Add(start); v.Fresh {
			t.Errorf("the first packet %d again counts as new: %+v", start, v)
		}
		if v := s.Add(start - 1); v.Fresh {
			t.Errorf("a packet from before the start %d counts: %+v", start, v)
		}
		if v := s.Add(start + 4); v.Number != int64(start)+4 {
			t.Errorf("number after %d is %d", start, v.Number)
		}
		if v := s.Add(start + 20000); !v.Fresh || v.Advance != 1 {
			t.Errorf("a stream that begins anew after %d: %+v", start, v)
		}
	}
}
