package sfu

import "time"

// stepDown limits the layer of a slot whose subscriber loses too much. It is the place
// of the bandwidth estimator to come.
type stepDown struct {
	loss   float64 // smoothed share
	cap    int     // highest rank
	until  time.Duration
	active bool
}

const (
	lossTooHigh  = 0.25
	stepDownTime = 5 * time.Second
)

// report takes the loss that the subscriber reports for the layer of this rank.
func (d *stepDown) report(fraction float64, rank int, now time.Duration) {
	d.loss += (fraction - d.loss) / 2
	if d.loss > lossTooHigh && now >= d.until {
		d.cap, d.until, d.active = max(rank-1, 0), now+stepDownTime, true
		d.loss = 0
	}
}

func (d *stepDown) highest(now time.Duration) int {
	if d.active && now < d.until {
		return d.cap
	}
	return 1 << 10
}
