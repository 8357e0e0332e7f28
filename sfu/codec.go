package sfu

import "strings"

// codec is what a payload is coded with. The zero value is one that is not forwarded.
type codec uint8

const (
	codecNone codec = iota
	codecOpus
	codecRED
	codecVP8
	codecH264
	codecs // their number
)

// codecOf returns the codec with this MIME type.
func codecOf(mime string) codec {
	switch strings.ToLower(mime) {
	case "audio/opus":
		return codecOpus
	case "audio/red":
		return codecRED
	case "video/vp8":
		return codecVP8
	case "video/h264":
		return codecH264
	}
	return codecNone
}

// clock is the rate of its RTP time stamps, in Hz.
func (c codec) clock() uint32 {
	if c == codecOpus || c == codecRED {
		return 48_000
	}
	return 90_000
}
