package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

// reception keeps what a receiver report says about one incoming stream.
// https://www.rfc-editor.org/rfc/rfc3550#appendix-A.3
type reception struct {
	started  bool
	base     uint64  // number of the first packet
	highest  uint64  // number
	received uint64  // packets
	transit  uint32  // arrival minus time stamp of the newest packet, in units of the clock
	jitter   float64 // in units of the clock

	// As of the last report.
	expectedThen, receivedThen uint64

	// Of the last sender report.
	senderNTP uint32        // the middle 32 bits; 0: none has come
	senderAt  time.Duration // when it came
}

// got takes a packet.
func (r *reception) got(ext uint64, ts uint32, clock uint32, now time.Duration) {
	arrival := uint32(now.Microseconds() * int64(clock) / 1_000_000)
	transit := arrival - ts
	if !r.started {
		r.started, r.base, r.highest, r.transit = true, ext, ext, transit
	}
	d := int32(transit - r.transit)
	if d < 0 {
		d = -d
	}
	r.transit = transit
	r.jitter += (float64(d) - r.jitter) / 16
	r.highest = max(r.highest, ext)
	r.received++
}

// sender takes a sender report.
func (r *reception) sender(ntp uint64, now time.Duration) {
	r.senderNTP, r.senderAt = uint32(ntp>>16), now
}

// report returns what has been received since the last call. Not ok: nothing ever was.
func (r *reception) report(ssrc uint32, now time.Duration) (rtcp.ReceptionReport, bool) {
	if !r.started {
		return rtcp.ReceptionReport{}, false
	}
	expected := r.highest - r.base + 1
	lost := max(0, int64(expected)-int64(r.received))
	wanted, came := expected-r.expectedThen, r.received-r.receivedThen
	r.expectedThen, r.receivedThen = expected, r.received
	report := rtcp.ReceptionReport{
		SSRC:               ssrc,
		TotalLost:          uint32(min(lost, 0x7fffff)),
		LastSequenceNumber: uint32(r.highest),
		Jitter:             uint32(r.jitter),
	}
	if wanted > came {
		report.FractionLost = uint8(min(255, (wanted-came)*256/wanted))
	}
	if r.senderNTP != 0 {
		report.LastSenderReport = r.senderNTP
		report.Delay = uint32((now - r.senderAt).Seconds() * 65536)
	}
	return report, true
}

// ntp is the 64-bit NTP time of t.
func ntp(t time.Time) uint64 {
	const since1900 = 2_208_988_800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1_000_000_000
}
