package load

import (
	"testing"

	"github.com/pion/rtp/codecs"
)

func TestPicturesAreWhatTheyClaim(t *testing.T) {
	b := make([]byte, 1200)
	f := frame{key: true, id: 300, width: 1280, height: 720}
	f.vp8(b, true)
	var vp8 codecs.VP8Packet
	payload, err := vp8.Unmarshal(b)
	if err != nil || vp8.S != 1 || vp8.PictureID != 300 || payload[0]&1 != 0 || string(payload[3:6]) != "\x9d\x01\x2a" {
		t.Errorf("key frame %+v % x, %v", vp8, payload[:10], err)
	}
	f.key = false
	f.vp8(b, true)
	if payload, err := vp8.Unmarshal(b); err != nil || payload[0]&1 != 1 {
		t.Errorf("delta frame % x, %v", payload[:4], err)
	}
	f.vp8(b, false)
	if _, err := vp8.Unmarshal(b); err != nil || vp8.S != 0 {
		t.Errorf("a later packet %+v, %v", vp8, err)
	}

	f.key = true
	f.h264(b, 0, 2)
	var h264 codecs.H264Packet
	sets, err := h264.Unmarshal(b)
	if err != nil || sets[4]&31 != 7 {
		t.Errorf("parameter sets % x, %v", sets[:8], err)
	}
	for i := 1; i <= 2; i++ {
		f.h264(b, i, 2)
		unit, err := h264.Unmarshal(b)
		if err != nil || i == 2 && (len(unit) < 1200 || unit[4]&31 != 5) {
			t.Errorf("fragment %d gives %d bytes, %v", i, len(unit), err)
		}
	}
}
