package bench

import (
	"fmt"
	"time"
)

// Limits beyond which we do not trust ourselves, or the row.
const (
	// P99 of how late packets left. Latency counts from when they did leave, so lateness
	// does not falsify it; but beyond this, frames run together and the load is another.
	lateLimit   = 100 * time.Millisecond
	lateNotice  = 20 * time.Millisecond // from here on the row has a note
	dropLimit   = 0.0005                // share lost in our own full buffers
	fullShare   = 0.95                  // of the processor time that someone may use
	lossLimit   = 0.005
	stolenLimit = 0.05 // of the time of all processors
	behindLimit = 0.05 // share of the packets that should have come and are neither here nor lost
	waitedLimit = 0.15 // of the window, that a server was ready and did not run
)

// judge says what limited a window: facts in, a verdict out.
func judge(w window, serverCores, generatorCores int) string {
	share := func(d time.Duration, cores int) float64 {
		return float64(d) / float64(w.length) / float64(max(cores, 1))
	}
	loss := w.loss()
	serverFull := w.server.total > 0 && share(w.server.total, serverCores) >= fullShare
	switch {
	case float64(w.counts.dropped) > dropLimit*float64(w.counts.packets):
		return LimitedByGenerator
	case share(w.self.total, generatorCores) >= fullShare:
		return LimitedByGenerator
	case w.late.quantile(0.99) > lateLimit:
		if share(w.stolen, serverCores+generatorCores) > stolenLimit || share(w.self.waited, 1) > waitedLimit {
			return LimitedByMachine
		}
		return LimitedByGenerator
	case serverFull:
		return LimitedByServer
	case w.behind() > behindLimit && share(w.server.waited, 1) > waitedLimit:
		return LimitedByMachine
	case w.behind() > behindLimit && w.behind() > 2*loss:
		return LimitedByServer
	case loss > lossLimit:
		return LimitedByLoss
	}
	return LimitedByLoad
}

// loss is the share of packets that never came, of those that should have, by their
// sequence numbers. Subscribers that received nothing at all are in starved.
func (w window) loss() float64 {
	if w.counts.expected == 0 {
		return 0
	}
	return max(0, 1-float64(w.counts.fresh)/float64(w.counts.expected))
}

// behind is the share of packets that a server has not sent on, of those that it should have.
func (w window) behind() float64 {
	if w.owed == 0 {
		return 0
	}
	return max(0, 1-float64(w.counts.packets)/w.owed)
}

// repacked says that the server cuts frames into packets of its own: stamps that do not end
// a packet are lost, and other numbers of packets come than were sent.
func (w window) repacked() bool { return w.counts.silent*20 > w.counts.opened }

// cost is the server's processor time per packet that arrived, in microseconds; 0 when unknown.
func (w window) cost() float64 {
	if w.counts.packets == 0 {
		return 0
	}
	return float64(w.server.total.Nanoseconds()) / 1000 / float64(w.counts.packets)
}

// userShare is the part of the server's time that was spent outside the kernel, over all
// windows: one alone has too few ticks.
func userShare(windows []window) float64 {
	var user, all float64
	for _, w := range windows {
		user += float64(w.server.user)
		all += float64(w.server.user + w.server.system)
	}
	if all == 0 {
		return 0
	}
	return user / all
}

// refusalOf explains why a window is not to be trusted.
func refusalOf(w window) string {
	switch w.limited {
	case LimitedByMachine:
		if share := float64(w.server.waited) / float64(w.length); share > waitedLimit {
			return fmt.Sprintf("others had the server's processor: it waited for %.0f %% of the time", share*100)
		}
		if share := float64(w.self.waited) / float64(w.length); share > waitedLimit {
			return fmt.Sprintf("others had the generator's processor: it waited for %.0f %% of the time, and sent packets up to %s late", share*100, w.late.quantile(0.99).Round(time.Millisecond))
		}
		return fmt.Sprintf("the machine below took %.0f %% of the processor time", 100*float64(w.stolen)/float64(w.length))
	case LimitedByGenerator:
		switch {
		case float64(w.counts.dropped) > dropLimit*float64(w.counts.packets):
			return fmt.Sprintf("the generator lost %d packets in its own buffers; give it more cores (--pin), or let it decrypt a sample (--sample)", w.counts.dropped)
		case w.late.quantile(0.99) > lateLimit:
			return fmt.Sprintf("the generator sent packets up to %s late; give it more cores (--pin) or a smaller load", w.late.quantile(0.99).Round(time.Millisecond))
		}
		return "the generator used up its processor time; give it more cores (--pin), or let it decrypt a sample (--sample)"
	}
	return ""
}
