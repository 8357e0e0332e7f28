package packet

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

func TestOurGCMIsPionsGCM(t *testing.T) {
	for _, keySize := range []int{16, 32} {
		profile := srtp.ProtectionProfileAeadAes128Gcm
		if keySize == 32 {
			profile = srtp.ProtectionProfileAeadAes256Gcm
		}
		key, salt := bytes.Repeat([]byte{7}, keySize), bytes.Repeat([]byte{9}, 12)
		theirs, err := srtp.CreateContext(key, salt, profile)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := NewGCM(key, salt)
		if err != nil {
			t.Fatal(err)
		}
		var track Sequence
		for _, seq := range []uint16{0, 1, 32767, 32768, 65535, 0, 1} {
			packet := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, SSRC: 77, PayloadType: 96}, Payload: []byte("a picture")}
			if err := packet.SetExtension(3, []byte{1, 2}); err != nil {
				t.Fatal(err)
			}
			plain, err := packet.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			want, err := theirs.EncryptRTP(nil, plain, nil)
			if err != nil {
				t.Fatal(err)
			}
			h, err := ParseHeader(plain)
			if err != nil {
				t.Fatal(err)
			}
			// The steps above are larger than a loss; only the roll-over counts here.
			number := int64(seq)
			if v := track.Add(seq); v.Number > 65535 && seq < 2 {
				number += 65536
			}
			dst := append(make([]byte, 0, 200), plain[:h.Size]...)
			got := ours.Seal(dst, h.Size, plain[h.Size:], h.SSRC, number)
			if !bytes.Equal(got, want) {
				t.Fatalf("seq %d: sealed\n%x\nwant pion's\n%x", seq, got, want)
			}
			opened, err := ours.Open(got, h.Size, h.SSRC, number)
			if err != nil || string(opened) != "a picture" {
				t.Fatalf("seq %d: opened %q, %v", seq, opened, err)
			}
			if x := h.Find(3); !bytes.Equal(x, []byte{1, 2}) {
				t.Errorf("extension 3 is %x, want 0102", x)
			}
			if x := h.Find(4); x != nil {
				t.Errorf("extension 4 is %x, want none", x)
			}
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xbe, 0xde, 0, 1, 0x31, 1, 2, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		for id := range uint8(16) {
			h.Find(id)
		}
	})
}
