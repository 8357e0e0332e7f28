package sfu

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
)

func TestPayloadsAreRead(t *testing.T) {
	d, ok := parseVP8([]byte{0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00})
	if !ok || !d.start || d.picture != 0x1234 || d.tl0 != 7 || d.size != 6 || !vp8Key(d, []byte{0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00}) {
		t.Errorf("got %+v, %v", d, ok)
	}
	b := []byte{0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0x00}
	d.put(b, 0x7fff, 9)
	if !bytes.Equal(b, []byte{0x90, 0xe0, 0xff, 0xff, 9, 0x20, 0x00}) {
		t.Errorf("wrote %x", b)
	}
	for _, c := range []struct {
		b    []byte
		want bool
	}{
		{[]byte{0x65}, true}, {[]byte{0x67, 1}, true}, {[]byte{0x41}, false}, {nil, false},
		{[]byte{24, 0, 1, 0x67}, true}, {[]byte{24, 0, 2, 0x41, 0, 0, 1, 0x65}, true}, {[]byte{24, 0, 9, 0x41}, false},
		{[]byte{28, 0x85}, true}, {[]byte{28, 0x05}, false},
	} {
		if got := h264Key(c.b); got != c.want {
			t.Errorf("%x is a key frame: %v", c.b, got)
		}
	}
	if p, ok := redPrimary([]byte{0x80 | 111, 0, 0, 2, 111, 1, 2, 9, 9, 9}); !ok || !bytes.Equal(p, []byte{9, 9, 9}) {
		t.Errorf("got %x, %v", p, ok)
	}
	h := rtp.Header{Version: 2, CSRC: []uint32{1, 2}}
	_ = h.SetExtension(3, []byte{1, 2})
	_ = h.SetExtension(5, []byte{9})
	raw, _ := h.Marshal()
	if got := extension(raw, 5); !bytes.Equal(got, []byte{9}) {
		t.Errorf("got %x", got)
	}
}

func FuzzPacket(f *testing.F) {
	h := rtp.Header{Version: 2, CSRC: []uint32{1}}
	_ = h.SetExtension(1, []byte{1, 2})
	raw, _ := h.Marshal()
	f.Add(append(raw, 0x90, 0xe0, 0x92, 0x34, 7, 0x20, 0))
	f.Add(append(raw, 24, 0, 1, 0x67))
	f.Add(append(raw, 0x80|111, 0, 0, 2, 111, 1, 2, 9))
	f.Fuzz(func(t *testing.T, b []byte) {
		for id := range 16 {
			if x := extension(b, uint8(id)); len(x) > len(b) {
				t.Error("an extension longer than its packet")
			}
		}
		payload, ok := parseRTP(b)
		if !ok {
			return
		}
		for c := range codecs {
			var p packet
			if p.read(b, payload, c) && c == codecVP8 && len(payload) > 0 {
				copied := bytes.Clone(payload)
				p.vp8.put(copied, 0x7fff, 255)
			}
		}
		_, _ = redPrimary(payload)
	})
}
