package load

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

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
