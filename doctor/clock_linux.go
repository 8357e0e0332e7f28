package doctor

import (
	"time"

	"golang.org/x/sys/unix"
)

// timeService asks the kernel, and nobody else, whether something keeps its clock right.
func timeService(suffers, change string) Finding {
	const check = "time service"
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return skipped(check, "the kernel does not tell: %v; no NTP server is asked, since doctor sends nothing to others", err)
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return Finding{check, StatusWarning, "the kernel says that nothing keeps its clock right (no NTP server is asked, since doctor sends nothing to others)", suffers, change}
	}
	return ok(check, "the kernel says that its clock is kept right, to %s", time.Duration(t.Esterror)*time.Microsecond)
}
