package turn

import (
	"encoding/binary"
	"errors"
)

var errFrame = errors.New("neither STUN nor ChannelData")

// frameSize says how long the frame is that a stream starts with: zero if more bytes are
// needed to tell, an error if no TURN client would send it. The sums are done in ints: in 16
// bits a length near 65,535 comes out as a frame of no length, which a reader would find again
// and again without end.
// https://www.rfc-editor.org/rfc/rfc8656#section-12.5
func frameSize(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	switch b[0] >> 6 {
	case 0:
		return stunSize(b)
	case 1:
		if len(b) < channelHeader {
			return 0, nil
		}
		return bounded(channelHeader + padded(int(binary.BigEndian.Uint16(b[2:]))))
	}
	return 0, errFrame
}

func stunSize(b []byte) (int, error) {
	if len(b) >= 4 && binary.BigEndian.Uint16(b[2:])%4 != 0 {
		return 0, errFrame
	}
	if len(b) < 8 {
		return 0, nil
	}
	if binary.BigEndian.Uint32(b[4:]) != magicCookie {
		return 0, errFrame
	}
	return bounded(stunHeader + int(binary.BigEndian.Uint16(b[2:])))
}

func bounded(size int) (int, error) {
	if size > maxFrame {
		return 0, errFrame
	}
	return size, nil
}
