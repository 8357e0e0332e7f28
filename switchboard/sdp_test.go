package switchboard

import (
	"strings"
	"testing"
)

const head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

func TestNarrowTakesOutWhatMayNotBe(t *testing.T) {
	const audio, data = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
	publish, watch := Rights{Publish: true}, Rights{Watch: true}
	for _, c := range []struct {
		name, offer string
		rights      Rights
		want        string
	}{
		{"both ways for a publisher", head + audio + "a=sendrecv\r\n", publish, "a=sendonly"},
		{"both ways for a viewer", head + audio + "a=sendrecv\r\n", watch, "a=recvonly"},
		{"sending for a viewer", head + audio + "a=sendonly\r\n", watch, "a=inactive"},
		{"receiving for a publisher", head + audio + "a=recvonly\r\n", publish, "a=inactive"},
		{"no direction, which means both", head + audio, watch, "a=recvonly"},
		{"the direction of the whole offer", head + "a=sendonly\r\n" + audio, watch, "a=inactive"},
		{"two directions, of which a parser may take either", head + audio + "a=recvonly\r\na=sendrecv\r\n", watch, "a=recvonly"},
		{"lines that end in another way", strings.ReplaceAll(head+audio+"a=sendrecv\r\n", "\r\n", "\n"), watch, "a=recvonly"},
		{"a data channel is no media", head + data + "a=sendrecv\r\n", watch, "a=sendrecv"},
	} {
		got := narrow(c.offer, c.rights)
		directions := 0
		for line := range strings.Lines(got) {
			switch line = strings.TrimSpace(line); line {
			case "a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive":
				directions++
				if line != c.want {
					t.Errorf("%s: %s, want %s", c.name, line, c.want)
				}
			}
		}
		if directions != 1 {
			t.Errorf("%s: %d directions in\n%s", c.name, directions, got)
		}
	}
	all := head + audio + "a=sendrecv\r\n"
	if got := narrow(all, Rights{Publish: true, Watch: true}); got != all {
		t.Errorf("who may do everything has a changed offer:\n%s", got)
	}
}
