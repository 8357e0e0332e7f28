package load

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Payload types and extension ids of our offers. A server may answer with others,
// and what it answers counts.
const (
	payloadOpus = 111
	payloadVP8  = 96
	payloadH264 = 98

	extLevel  = 1
	extTWCC   = 3
	extMID    = 4
	extRID    = 10
	extRepair = 11
)

const (
	uriLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	uriTWCC   = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriMID    = "urn:ietf:params:rtp-hdrext:sdes:mid"
	uriRID    = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	uriRepair = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
)

// section is one media section of an offer, in which we send or want to receive.
type section struct {
	mid   string
	video bool
	send  bool
	codec string   // "vp8" or "h264", of a video section
	rids  []string // simulcast, lowest first; none: a single stream
	ssrc  uint32   // of a single stream that we send
	rtx   uint32   // its retransmissions
}

// credentials of our side of the transport.
type credentials struct {
	ufrag, password, fingerprint string
}

// writeOffer makes a peer's offer: its media sections, and one for data channels if wanted.
func writeOffer(c credentials, sections []section, data bool) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	p("v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0")
	group := "a=group:BUNDLE"
	for _, l := range sections {
		group += " " + l.mid
	}
	if data {
		group += " data"
	}
	p("%s\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *", group)
	for _, l := range sections {
		writeSection(p, c, l)
	}
	if data {
		p("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0")
		writeTransport(p, c, "data")
		p("a=sctp-port:5000\r\na=max-message-size:262144")
	}
	return b.String()
}

func writeTransport(p func(string, ...any), c credentials, mid string) {
	p("a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=mid:%s", c.ufrag, c.password, c.fingerprint, mid)
}

func writeSection(p func(string, ...any), c credentials, l section) {
	kind, types := "audio", strconv.Itoa(payloadOpus)
	if l.video {
		kind, types = "video", fmt.Sprintf("%d %d", l.videoPayload(), l.videoPayload()+1)
	}
	p("m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0", kind, types)
	writeTransport(p, c, l.mid)
	if !l.video {
		p("a=extmap:%d %s", extLevel, uriLevel)
	}
	p("a=extmap:%d %s\r\na=extmap:%d %s", extTWCC, uriTWCC, extMID, uriMID)
	if l.video {
		p("a=extmap:%d %s\r\na=extmap:%d %s", extRID, uriRID, extRepair, uriRepair)
	}
	direction := "recvonly"
	if l.send {
		direction = "sendonly"
	}
	p("a=%s\r\na=rtcp-mux\r\na=rtcp-rsize", direction)
	if l.send {
		p("a=msid:bench %s", l.mid)
	}
	if l.video {
		n := l.videoPayload()
		if l.codec == "h264" {
			p("a=rtpmap:%d H264/90000\r\na=fmtp:%d level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", n, n)
		} else {
			p("a=rtpmap:%d VP8/90000", n)
		}
		p("a=rtcp-fb:%d transport-cc\r\na=rtcp-fb:%d ccm fir\r\na=rtcp-fb:%d nack\r\na=rtcp-fb:%d nack pli", n, n, n, n)
		p("a=rtpmap:%d rtx/90000\r\na=fmtp:%d apt=%d", n+1, n+1, n)
	} else {
		p("a=rtpmap:%d opus/48000/2\r\na=rtcp-fb:%d transport-cc\r\na=fmtp:%d minptime=10;useinbandfec=1;usedtx=1", payloadOpus, payloadOpus, payloadOpus)
	}
	switch {
	case !l.send:
	case len(l.rids) > 0:
		for _, rid := range l.rids {
			p("a=rid:%s send", rid)
		}
		p("a=simulcast:send %s", strings.Join(l.rids, ";"))
	default:
		if l.rtx != 0 {
			p("a=ssrc-group:FID %d %d", l.ssrc, l.rtx)
		}
		p("a=ssrc:%d cname:bench\r\na=ssrc:%d msid:bench %s", l.ssrc, l.ssrc, l.mid)
		if l.rtx != 0 {
			p("a=ssrc:%d cname:bench\r\na=ssrc:%d msid:bench %s", l.rtx, l.rtx, l.mid)
		}
	}
}

func (l section) videoPayload() uint8 {
	if l.codec == "h264" {
		return payloadH264
	}
	return payloadVP8
}

// answer is what a peer needs to know of the server's answer.
type answer struct {
	credentials
	active     bool // the server begins DTLS
	data       bool // it takes data channels
	candidates []candidate
	sections   []answerSection   // in the order of the offer
	repairs    map[uint32]uint32 // the SSRC of retransmissions: of what
}

type candidate struct {
	tcp     bool
	address netip.AddrPort
}

type answerSection struct {
	mid       string
	rejected  bool
	types     map[uint8]payloadType
	ext       map[string]uint8 // by URI
	nack      bool
	pli       bool
	twcc      bool
	simulcast bool // the server takes our simulcast
}

type payloadType struct {
	name  string // lower case: opus, vp8, h264, rtx
	clock uint32
	of    uint8 // what rtx repairs
}

// payloadTypeOf returns the payload types of a codec and of its retransmissions (0: none).
func (l answerSection) payloadTypeOf(codec string) (kind, rtx uint8, ok bool) {
	for n, t := range l.types {
		if t.name == codec {
			kind, ok = n, true
		}
	}
	for n, t := range l.types {
		if ok && t.name == "rtx" && t.of == kind {
			rtx = n
		}
	}
	return kind, rtx, ok
}

func parseAnswer(text string) (answer, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return answer{}, fmt.Errorf("read the server's answer: %w", err)
	}
	a := answer{repairs: map[uint32]uint32{}}
	for _, x := range d.Attributes {
		a.transport(x)
	}
	for _, m := range d.MediaDescriptions {
		l := answerSection{types: map[uint8]payloadType{}, ext: map[string]uint8{}, rejected: m.MediaName.Port.Value == 0}
		for _, x := range m.Attributes {
			if !l.rejected {
				a.transport(x)
			}
			a.repair(x)
			l.attribute(x)
		}
		if m.MediaName.Media == "application" {
			a.data = !l.rejected
			continue
		}
		a.sections = append(a.sections, l)
	}
	switch {
	case a.ufrag == "" || a.password == "":
		return a, fmt.Errorf("the server's answer has no ICE credentials")
	case a.fingerprint == "":
		return a, fmt.Errorf("the server's answer has no DTLS fingerprint")
	case len(a.candidates) == 0:
		return a, fmt.Errorf("the server's answer has no candidate that can be used")
	}
	return a, nil
}

func (a *answer) transport(x sdp.Attribute) {
	switch x.Key {
	case "ice-ufrag":
		a.ufrag = x.Value
	case "ice-pwd":
		a.password = x.Value
	case "fingerprint":
		a.fingerprint = x.Value
	case "setup":
		a.active = x.Value == "active"
	case "candidate":
		if c, ok := parseCandidate(x.Value); ok {
			for _, known := range a.candidates {
				if known == c {
					return
				}
			}
			a.candidates = append(a.candidates, c)
		}
	}
}

// https://www.rfc-editor.org/rfc/rfc8839#section-5.1
func parseCandidate(text string) (candidate, bool) {
	f := strings.Fields(text)
	if len(f) < 8 || f[1] != "1" {
		return candidate{}, false
	}
	c := candidate{tcp: strings.EqualFold(f[2], "tcp")}
	if c.tcp && !strings.Contains(text, "tcptype passive") {
		return candidate{}, false
	}
	ip, err := netip.ParseAddr(f[4])
	port, err2 := strconv.ParseUint(f[5], 10, 16)
	if err != nil || err2 != nil || port == 0 {
		return candidate{}, false // an mDNS name, or nonsense
	}
	c.address = netip.AddrPortFrom(ip, uint16(port))
	return c, true
}

func (a *answer) repair(x sdp.Attribute) {
	if f := strings.Fields(x.Value); x.Key == "ssrc-group" && len(f) == 3 && f[0] == "FID" {
		primary, err := strconv.ParseUint(f[1], 10, 32)
		rtx, err2 := strconv.ParseUint(f[2], 10, 32)
		if err == nil && err2 == nil {
			a.repairs[uint32(rtx)] = uint32(primary)
		}
	}
}

func (l *answerSection) attribute(x sdp.Attribute) {
	number, rest, _ := strings.Cut(x.Value, " ")
	n64, err := strconv.ParseUint(number, 10, 8)
	n := uint8(n64)
	switch x.Key {
	case "mid":
		l.mid = x.Value
	case "simulcast":
		l.simulcast = true
	case "extmap":
		id, err := strconv.ParseUint(strings.SplitN(number, "/", 2)[0], 10, 8)
		if err == nil && id > 0 && id < 15 {
			l.ext[strings.TrimSpace(rest)] = uint8(id)
		}
	case "rtpmap":
		f := strings.Split(rest, "/")
		if err != nil || len(f) < 2 {
			return
		}
		clock, _ := strconv.ParseUint(f[1], 10, 32)
		t := l.types[n]
		t.name, t.clock = strings.ToLower(f[0]), uint32(clock)
		l.types[n] = t
	case "fmtp":
		if apt, ok := strings.CutPrefix(rest, "apt="); ok && err == nil {
			of, _ := strconv.ParseUint(apt, 10, 8)
			t := l.types[n]
			t.of = uint8(of)
			l.types[n] = t
		}
	case "rtcp-fb":
		switch rest {
		case "nack":
			l.nack = true
		case "nack pli":
			l.pli = true
		case "transport-cc":
			l.twcc = true
		}
	}
}
