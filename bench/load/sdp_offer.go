package load

import (
	"fmt"
	"strconv"
	"strings"
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

// credentials of one side of the transport.
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
