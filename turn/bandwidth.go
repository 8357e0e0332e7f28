package turn

import (
	"time"

	"carillon/limit"
)

// bandwidth is a limit in kilobits per second, with a burst of a quarter of a second. The
// tokens are bytes. A limit of zero or less is none.
func bandwidth(kbps int) limit.Rate { return limit.Per(time.Second, kbps*1000/8, time.Second/4) }
