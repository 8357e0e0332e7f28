package sfu

import "time"

// stepDown limits the rank of the layer in a slot whose subscriber loses too many
// packets. It stands where a bandwidth estimator will be. It reads no clock.
type stepDown struct {
	loss  float64       // share of packets, smoothed
	limit int           // highest rank until then
	until time.Duration // 0: there was no limit yet
}

const (
	lossTooHigh  = 0.25
	stepDownTime = 5 * time.Second
	noLimit      = 1 << 10 // higher than any rank
)

// report takes the share of packets that the subscriber lost of a layer of this rank.
func (d *stepDown) report(fraction float64, rank int, now time.Duration) {
	d.loss += (fraction - d.loss) / 2
	if d.loss > lossTooHigh && now >= d.until {
		d.limit, d.until, d.loss = max(rank-1, 0), now+stepDownTime, 0
	}
}

// highest returns the highest rank that may be shown now.
func (d *stepDown) highest(now time.Duration) int {
	if now < d.until {
		return d.limit
	}
	return noLimit
}
