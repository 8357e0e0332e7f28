package bench

import (
	"fmt"
	"time"

	"carillon/bench/report"
)

// Limits beyond which the generator, or the window, is not to be trusted.
const (
	// P99 of how late packets left. Latency counts from when they did leave, so lateness does
	// not falsify it. But beyond this limit frames run together, which is another load.
	lateLimit   = 100 * time.Millisecond
	lateNotice  = 20 * time.Millisecond // beyond this the row has a note
	dropLimit   = 0.0005                // share of packets lost in the generator's full buffers
	fullShare   = 0.95                  // of the processor time of the cores that it may use
	lossLimit   = 0.005
	stolenLimit = 0.05 // of the time of all processors
	behindLimit = 0.05 // share of the packets that should have come and did not, whether lost or late
	waitedLimit = 0.15 // of the window, in which a process was ready and did not run
)

// judge says what limited a window.
func judge(w window, serverCores, generatorCores int) string {
	share := func(d time.Duration, cores int) float64 {
		return float64(d) / float64(w.length) / float64(max(cores, 1))
	}
	loss := w.loss()
	serverFull := w.server.Total > 0 && share(w.server.Total, serverCores) >= fullShare
	switch {
	case float64(w.counts.Dropped) > dropLimit*float64(w.counts.Packets):
		return report.LimitedByGenerator
	case share(w.self.Total, generatorCores) >= fullShare:
		return report.LimitedByGenerator
	case w.late.Quantile(0.99) > lateLimit:
		if share(w.stolen, serverCores+generatorCores) > stolenLimit || share(w.self.Waited, 1) > waitedLimit {
			return report.LimitedByMachine
		}
		return report.LimitedByGenerator
	case serverFull:
		return report.LimitedByServer
	case w.behind() > behindLimit && share(w.server.Waited, 1) > waitedLimit:
		return report.LimitedByMachine
	case w.behind() > behindLimit && w.behind() > 2*loss:
		return report.LimitedByServer
	case loss > lossLimit:
		return report.LimitedByLoss
	}
	return report.LimitedByLoad
}

// loss is the share of packets that never came, of those that should have, by their
// sequence numbers. Subscribers that received nothing at all are in starved.
func (w window) loss() float64 {
	if w.counts.Expected == 0 {
		return 0
	}
	return max(0, 1-float64(w.counts.Fresh)/float64(w.counts.Expected))
}

// behind is the share of packets that a server has not forwarded, of those that it should have.
func (w window) behind() float64 {
	if w.owed == 0 {
		return 0
	}
	return max(0, 1-float64(w.counts.Packets)/w.owed)
}

// repacked says that the server cuts frames into packets of its own. Then a stamp that does not
// end a packet is lost, and the number of packets is not the one that was sent.
func (w window) repacked() bool { return w.counts.Unstamped*20 > w.counts.Opened }

// cost is the server's processor time per packet that arrived, in microseconds; 0 when unknown.
func (w window) cost() float64 {
	if w.counts.Packets == 0 {
		return 0
	}
	return float64(w.server.Total.Nanoseconds()) / 1000 / float64(w.counts.Packets)
}

// userShare is the part of the server's time that was spent outside the kernel, over all
// windows: one alone has too few ticks.
func userShare(windows []window) float64 {
	var user, all float64
	for _, w := range windows {
		user += float64(w.server.User)
		all += float64(w.server.User + w.server.System)
	}
	if all == 0 {
		return 0
	}
	return user / all
}

// refusalOf explains why a window is not to be trusted; "": it is.
func refusalOf(w window) string {
	switch w.limited {
	case report.LimitedByMachine:
		if share := float64(w.server.Waited) / float64(w.length); share > waitedLimit {
			return fmt.Sprintf("others had the server's processor: it waited for %.0f %% of the time", share*100)
		}
		if share := float64(w.self.Waited) / float64(w.length); share > waitedLimit {
			return fmt.Sprintf("others had the generator's processor: it waited for %.0f %% of the time, and sent packets up to %s late", share*100, w.late.Quantile(0.99).Round(time.Millisecond))
		}
		return fmt.Sprintf("the machine below took %.0f %% of the processor time", 100*float64(w.stolen)/float64(w.length))
	case report.LimitedByGenerator:
		switch {
		case float64(w.counts.Dropped) > dropLimit*float64(w.counts.Packets):
			return fmt.Sprintf("the generator lost %d packets in its own buffers; give it more cores (--pin), or let it decrypt a sample (--sample)", w.counts.Dropped)
		case w.late.Quantile(0.99) > lateLimit:
			return fmt.Sprintf("the generator sent packets up to %s late; give it more cores (--pin) or a smaller load", w.late.Quantile(0.99).Round(time.Millisecond))
		}
		return "the generator used up its processor time; give it more cores (--pin), or let it decrypt a sample (--sample)"
	}
	return ""
}
