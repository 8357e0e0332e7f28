package switchboard

import (
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// Whatever the offer, no line of what is left of it goes a way that its peer may not.
func FuzzNarrow(f *testing.F) {
	const audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
	for _, offer := range []string{
		head + audio, head + audio + "a=sendrecv\r\n", head + "a=sendonly\r\n" + audio + audio, head + audio + "a=recvonly\r\na=sendrecv:x\r\n",
		head + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sendrecv\r\n", "",
	} {
		f.Add(offer, true, false)
		f.Add(offer, false, true)
	}
	f.Fuzz(func(t *testing.T, offer string, publish, watch bool) {
		_ = peerConnectionOf(offer)
		narrowed := narrow(offer, Rights{Publish: publish, Watch: watch})
		var before, after sdp.SessionDescription
		if before.UnmarshalString(offer) != nil || after.UnmarshalString(narrowed) != nil {
			return // which the SFU refuses
		}
		if len(after.MediaDescriptions) != len(before.MediaDescriptions) {
			t.Fatalf("%d lines of %d are left", len(after.MediaDescriptions), len(before.MediaDescriptions))
		}
		if publish && watch {
			return
		}
		for _, m := range after.MediaDescriptions {
			if m.MediaName.Media == "application" {
				continue
			}
			var directions []string
			for _, a := range append(after.Attributes, m.Attributes...) {
				if isDirection(a) {
					directions = append(directions, a.Key)
				}
			}
			got := strings.Join(directions, " ")
			if len(directions) != 1 || !publish && strings.Contains(got, "send") || !watch && (strings.Contains(got, "recv")) {
				t.Errorf("publish %v, watch %v: a line is %q", publish, watch, got)
			}
		}
	})
}
