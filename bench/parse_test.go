package bench

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
)

func TestParseNetem(t *testing.T) {
	n, err := parseNetem("loss=2%, delay=50ms,rate=2mbit")
	if err != nil || n.Loss != 0.02 || n.Delay != 50*time.Millisecond || n.Rate != 2e6 {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := parseNetem(""); n != nil || err != nil {
		t.Errorf("nothing gives %v, %v", n, err)
	}
	for _, bad := range []string{"loss", "loss=200%", "delay=-1s", "rate=fast", "jitter=3ms", "rate=-1m"} {
		if _, err := parseNetem(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]targetSpec{
		"carillon": {name: "carillon", builtin: true},
		"whip=http://a:1/in,whep=https://b/out,token=x,pid=7": {name: "a:1", whip: "http://a:1/in", whep: "https://b/out", token: "x", pid: 7},
		"server=https://chat.example/,token=x":                {name: "chat.example", server: "https://chat.example", whip: "https://chat.example/whip/bench", whep: "https://chat.example/whep/bench", token: "x"},
		"whip=http://a/in,whep=http://a/out,name=janus":       {name: "janus", whip: "http://a/in", whep: "http://a/out"},
	} {
		if got, err := parseTarget(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "janus", "whip=http://a", "whip=a,whep=b", "server=chat.example", "whip=http://a,whep=http://a,pid=no", "whip=http://a,whep=http://a,color=red"} {
		if _, err := parseTarget(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestParsePin(t *testing.T) {
	all := []int{0, 1, 2, 3}
	for text, want := range map[string]pinning{
		"auto": {[]int{0}, []int{1, 2, 3}}, "none": {}, "server=0+3,load=1-2": {[]int{0, 3}, []int{1, 2}}, "server=2": {server: []int{2}},
	} {
		got, err := parsePin(text, all)
		if err != nil || !slices.Equal(got.server, want.server) || !slices.Equal(got.load, want.load) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := parsePin("auto", []int{5}); err != nil || got.server != nil {
		t.Errorf("one core: %v, %v", got, err)
	}
	for _, bad := range []string{"", "server=9", "server=x", "server=2-1", "me=1"} {
		if _, err := parsePin(bad, all); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"path": {Paths: []string{"pigeon"}}, "shape": {Shapes: []string{"triangle"}}, "subscribers": {Subscribers: []int{-1}},
		"codec": {Media: Media{Codec: "mpeg"}}, "slots": {Slots: 400}, "window": {Window: time.Millisecond},
	} {
		if err := o.fill(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

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
	if a.ufrag != "u" || a.password != "p" || a.active || a.data || len(a.lines) != 2 || a.repairs[8] != 7 {
		t.Errorf("%+v", a)
	}
	if len(a.candidates) != 2 || a.candidates[0].tcp || !a.candidates[1].tcp {
		t.Errorf("candidates %v, want one of UDP and one passive of TCP", a.candidates)
	}
	if kind, _, ok := a.lines[0].typeOf("opus"); !ok || kind != 109 || a.lines[0].ext[uriTWCC] != 5 || !a.lines[0].twcc {
		t.Errorf("audio %+v", a.lines[0])
	}
	if kind, rtx, ok := a.lines[1].typeOf("vp8"); !ok || kind != 120 || rtx != 121 || !a.lines[1].nack || !a.lines[1].pli {
		t.Errorf("video %+v", a.lines[1])
	}
	if _, _, ok := a.lines[1].typeOf("h264"); ok {
		t.Error("the answer has no H.264")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(goodAnswer)
	f.Fuzz(func(_ *testing.T, text string) {
		if a, err := parseAnswer(text); err == nil {
			nearest(a.candidates, false)
		}
	})
}

func TestPicturesAreWhatTheyClaim(t *testing.T) {
	b := make([]byte, 1200)
	f := picture{key: true, id: 300, width: 1280, height: 720}
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

func TestStatFindsTheFieldsBehindAnyName(t *testing.T) {
	user, system, err := parseStat([]byte("12 (a) b (c) S 1 1 1 0 -1 4 5 6 7 8 150 75 0 0 20 0\n"))
	if err != nil || user != 1500*time.Millisecond || system != 750*time.Millisecond {
		t.Errorf("%v %v %v", user, system, err)
	}
	if _, _, err := parseStat([]byte("12 (x")); err == nil {
		t.Error("half a line is accepted")
	}
}

func TestJudge(t *testing.T) {
	base := func() window {
		w := window{length: time.Second, latency: new(histogram), counts: counts{packets: 1000, fresh: 1000, expected: 1000}}
		w.server.total, w.self.total = 500*time.Millisecond, 500*time.Millisecond
		return w
	}
	for name, c := range map[string]struct {
		change func(*window)
		want   string
	}{
		"nothing":      {func(*window) {}, LimitedByLoad},
		"full server":  {func(w *window) { w.server.total = 990 * time.Millisecond }, LimitedByServer},
		"full load":    {func(w *window) { w.self.total = 990 * time.Millisecond }, LimitedByGenerator},
		"full buffers": {func(w *window) { w.counts.dropped = 5 }, LimitedByGenerator},
		"late":         {func(w *window) { w.late.add(int64(time.Second)) }, LimitedByGenerator},
		"stolen":       {func(w *window) { w.late.add(int64(time.Second)); w.stolen = 400 * time.Millisecond }, LimitedByMachine},
		"behind":       {func(w *window) { w.owed = 2000 }, LimitedByServer},
		"crowded out":  {func(w *window) { w.owed, w.server.waited = 2000, 500*time.Millisecond }, LimitedByMachine},
		"loss":         {func(w *window) { w.counts.fresh = 900 }, LimitedByLoss},
	} {
		w := base()
		c.change(&w)
		if got := judge(w, 1, 1); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if (refusalOf(window{limited: c.want, length: time.Second, counts: w.counts, latency: w.latency, late: w.late, spent: w.spent}) == "") != (c.want != LimitedByGenerator && c.want != LimitedByMachine) {
			t.Errorf("%s: the reason to refuse does not fit %s", name, c.want)
		}
	}
}
