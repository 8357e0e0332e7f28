package turn

import (
	"net/netip"
	"time"

	"carillon/limit"
)

// strangers bounds how many answers senders get who have proved nothing: each address, and
// all together. It must stand a flood, so it takes no lock and its memory is fixed.
type strangers struct {
	each *limit.Hashed[netip.Addr]
	all  limit.Bucket
}

// strangerBuckets is how many addresses are told apart at a time, 8 bytes each.
const strangerBuckets = 1 << 14

func newStrangers(l Limits) *strangers {
	s := &strangers{each: limit.NewHashed[netip.Addr](limit.Per(time.Second, l.AnswersPerAddress, 2*time.Second), strangerBuckets)}
	s.all.Limit(limit.Per(time.Second, l.Answers, time.Second))
	return s
}

// admit is true if the address may have one more answer.
func (s *strangers) admit(a netip.Addr, now int64) bool {
	return s.each.TakeAt(limit.Address(a), 1, now) == 0 && s.all.TakeAt(1, now) == 0
}
