package load

import (
	"testing"
)

const goodAnswer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AA:BB\r\na=group:BUNDLE 0 1\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 0.0.0.0\r\na=setup:passive\r\na=mid:0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n" +
	"a=rtpmap:109 opus/48000/2\r\na=extmap:5 " + uriTWCC + "\r\na=rtcp-fb:109 transport-cc\r\na=recvonly\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 120 121\r\nc=IN IP4 0.0.0.0\r\na=setup:passive\r\na=mid:1\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n" +
	"a=rtpmap:120 VP8/90000\r\na=rtpmap:121 rtx/90000\r\na=fmtp:121 apt=120\r\na=rtcp-fb:120 nack\r\na=rtcp-fb:120 nack pli\r\n" +
	"a=ssrc-group:FID 7 8\r\na=sendonly\r\n" +
	"a=candidate:1 1 udp 2130706431 127.0.0.1 7900 typ host\r\na=candidate:2 1 tcp 1 127.0.0.1 7900 typ host tcptype passive\r\n" +
	"a=candidate:3 1 tcp 1 127.0.0.1 9 typ host tcptype active\r\na=candidate:4 1 udp 1 secret.local 7900 typ host\r\na=candidate:5 2 udp 1 127.0.0.1 7901 typ host\r\n"

func TestAnswerIsRead(t *testing.T) {
	a, err := parseAnswer(goodAnswer)
	if err != nil {
		t.Fatal(err)
	}
	if a.ufrag != "u" || a.password != "p" || a.active || a.data || len(a.sections) != 2 || a.repairs[8] != 7 {
		t.Errorf("%+v", a)
	}
	if len(a.candidates) != 2 || a.candidates[0].tcp || !a.candidates[1].tcp {
		t.Errorf("candidates %v, want one of UDP and one passive of TCP", a.candidates)
	}
	if kind, _, ok := a.sections[0].payloadTypeOf("opus"); !ok || kind != 109 || a.sections[0].ext[uriTWCC] != 5 || !a.sections[0].twcc {
		t.Errorf("audio %+v", a.sections[0])
	}
	if kind, rtx, ok := a.sections[1].payloadTypeOf("vp8"); !ok || kind != 120 || rtx != 121 || !a.sections[1].nack || !a.sections[1].pli {
		t.Errorf("video %+v", a.sections[1])
	}
	if _, _, ok := a.sections[1].payloadTypeOf("h264"); ok {
		t.Error("the answer has no H.264")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(goodAnswer)
	f.Fuzz(func(_ *testing.T, text string) {
		if a, err := parseAnswer(text); err == nil {
			inOrder(a.candidates, false)
		}
	})
}
