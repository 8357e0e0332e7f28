package turn

import "encoding/binary"

// isChannelNumber is true for the numbers of RFC 5766. RFC 8656 leaves only those up to
// 0x4FFF, but coturn's clients and older ones still take any.
// https://www.rfc-editor.org/rfc/rfc5766#section-11
func isChannelNumber(n uint16) bool { return n >= 0x4000 && n <= 0x7FFF }

// channelData reads a ChannelData datagram: its number and payload. Over UDP the padding
// may be missing, so what follows the payload is not looked at.
func channelData(raw []byte) (number uint16, payload []byte, ok bool) {
	if len(raw) < channelHeader {
		return 0, nil, false
	}
	number = binary.BigEndian.Uint16(raw)
	length := int(binary.BigEndian.Uint16(raw[2:]))
	if !isChannelNumber(number) || channelHeader+length > len(raw) {
		return 0, nil, false
	}
	return number, raw[channelHeader : channelHeader+length], true
}
