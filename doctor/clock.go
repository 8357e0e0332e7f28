package doctor

import (
	"fmt"
	"time"
)

// clockCheck knows when doctor started, by the wall clock and by the monotonic one.
type clockCheck struct{ started time.Time }

func startClock() clockCheck { return clockCheck{time.Now()} }

// jump is by how much the wall clock may move against the monotonic one while doctor runs. A
// time service that adjusts the clock gradually stays far below.
const jump = 500 * time.Millisecond

// check compares this machine's clock with the running server's, with the monotonic clock, and
// with what the kernel knows of it. ahead is by how much the server's clock is ahead; nil: no
// server answered.
func (c clockCheck) check(ahead *time.Duration, leeway int) []Finding {
	const check = "clock"
	now := time.Now()
	change := "run a time service (systemd-timesyncd, chrony) on this machine and on your backend"
	suffers := fmt.Sprintf("tokens of your backend count as expired or not yet valid when clocks differ by more than %d seconds (auth.leeway_seconds): nobody can sign in", leeway)
	var all []Finding
	wall := now.Round(0).Sub(c.started.Round(0)) // Round strips the monotonic reading
	switch {
	case now.Year() < 2026:
		all = append(all, Finding{check, StatusProblem, fmt.Sprintf("it says %s", now.UTC().Format(time.DateTime)), suffers, change})
	case (wall - now.Sub(c.started)).Abs() > jump:
		all = append(all, Finding{check, StatusWarning, fmt.Sprintf("it jumped by %s while doctor ran", (wall - now.Sub(c.started)).Round(time.Millisecond)), suffers, change})
	case ahead == nil:
		all = append(all, ok(check, "%s, and it runs evenly", now.UTC().Format(time.DateTime)))
	case ahead.Abs() > 2*time.Second: // a Date header has whole seconds
		all = append(all, Finding{check, StatusWarning, fmt.Sprintf("the clock of the running carillon differs by %s from that of this command", ahead.Round(time.Second)), suffers, change})
	default:
		all = append(all, ok(check, "%s, the same as the running carillon's, and it runs evenly", now.UTC().Format(time.DateTime)))
	}
	return append(all, timeService(suffers, change))
}
