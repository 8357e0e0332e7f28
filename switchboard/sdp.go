package switchboard

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// narrow takes out of an offer what its peer may not do: a line on which it may not send
// only receives, and the other way round. The SFU reads sources and slots from the
// directions of the offer's lines, and parses it by the same code. What cannot be parsed
// is left to the SFU to refuse.
func narrow(offer string, r Rights) string {
	var d sdp.SessionDescription
	if r.Publish && r.Watch || d.UnmarshalString(offer) != nil {
		return offer
	}
	// The direction of lines that name none.
	// https://www.rfc-editor.org/rfc/rfc8866#section-6.7
	common := direction(d.Attributes, sdp.AttrKeySendRecv)
	d.Attributes = slices.DeleteFunc(d.Attributes, isDirection)
	for _, m := range d.MediaDescriptions {
		if m.MediaName.Media == "application" {
			continue
		}
		own := direction(m.Attributes, common)
		sends := r.Publish && (own == sdp.AttrKeySendRecv || own == sdp.AttrKeySendOnly)
		receives := r.Watch && (own == sdp.AttrKeySendRecv || own == sdp.AttrKeyRecvOnly)
		narrowed := sdp.AttrKeyInactive
		switch {
		case sends && receives:
			narrowed = sdp.AttrKeySendRecv
		case sends:
			narrowed = sdp.AttrKeySendOnly
		case receives:
			narrowed = sdp.AttrKeyRecvOnly
		}
		m.Attributes = append(slices.DeleteFunc(m.Attributes, isDirection), sdp.Attribute{Key: narrowed})
	}
	text, err := d.Marshal()
	if err != nil {
		return "" // refused by the SFU; not reached with what was parsed
	}
	return string(text)
}

func direction(attributes []sdp.Attribute, otherwise string) string {
	if i := slices.IndexFunc(attributes, isDirection); i >= 0 {
		return attributes[i].Key
	}
	return otherwise
}

func isDirection(a sdp.Attribute) bool {
	switch a.Key {
	case sdp.AttrKeySendRecv, sdp.AttrKeySendOnly, sdp.AttrKeyRecvOnly, sdp.AttrKeyInactive:
		return true
	}
	return false
}

// peerConnectionOf returns what names the client's PeerConnection in all of its offers.
//
// "[...] The <sess-id> [...] MUST be representable by a 64-bit signed integer [...]. [In
// subsequent offers] the fields of the "o=" line MUST stay the same except for the
// <session-version> field"
// https://www.rfc-editor.org/rfc/rfc8829#section-5.2.1 and #section-5.2.2
func peerConnectionOf(sdp string) string {
	_, rest, found := strings.Cut(sdp, "o=")
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return ""
	}
	return fields[0] + " " + fields[1]
}
