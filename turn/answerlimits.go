package turn

import (
	"net/netip"
	"time"

	"carillon/limit"
)

// answerLimits bounds how many answers senders get that have not authenticated: each address,
// and all together. It must withstand a flood, so it takes no lock and its memory is fixed.
type answerLimits struct {
	each *limit.Hashed[netip.Addr]
	all  limit.Bucket

	counts *limitCounts
}

// addressBuckets is how many addresses are told apart at a time, 8 bytes each.
const addressBuckets = 1 << 14

func newAnswerLimits(l Limits, counts *limitCounts) *answerLimits {
	s := &answerLimits{counts: counts, each: limit.NewHashed[netip.Addr](limit.Per(time.Second, l.AnswersPerAddress, 2*time.Second), addressBuckets)}
	s.all.Limit(limit.Per(time.Second, l.Answers, time.Second))
	return s
}

// admit is true if the address may have one more answer.
func (s *answerLimits) admit(a netip.Addr, now int64) bool {
	return within(s.each.TakeAt(limit.Address(a), 1, now) == 0, s.counts.answersPerAddress) &&
		within(s.all.TakeAt(1, now) == 0, s.counts.answers)
}
