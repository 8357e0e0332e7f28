package turn

import (
	"net/netip"
	"time"

	"carillon/limit"
)

// answerLimits bounds how many answers senders get that have not authenticated: each address,
// and all together. It must withstand a flood, so it takes no lock and its memory is fixed.
//
// A datagram may come from anybody, in the name of any address. So whoever has shown that their
// address is theirs has the same limits once more, on which nobody else draws: over TCP and TLS
// everyone has, over UDP who knows the nonce that was sent there.
type answerLimits struct {
	any, shown buckets

	counts *limitCounts
}

// buckets are those of each address, and the one of all.
type buckets struct {
	each *limit.Hashed[netip.Addr]
	all  limit.Bucket
}

// addressBuckets is how many addresses are told apart at a time, 8 bytes each.
const addressBuckets = 1 << 14

func newAnswerLimits(l Limits, counts *limitCounts) *answerLimits {
	s := &answerLimits{counts: counts}
	for _, b := range []*buckets{&s.any, &s.shown} {
		b.each = limit.NewHashed[netip.Addr](limit.Per(time.Second, l.AnswersPerAddress, 2*time.Second), addressBuckets)
		b.all.Limit(limit.Per(time.Second, l.Answers, time.Second))
	}
	return s
}

// admit is true if the address may have one more answer. It asks whether the address was shown
// to be the sender's only if that makes a difference.
func (s *answerLimits) admit(a netip.Addr, now int64, shown func() bool) bool {
	over := s.take(&s.any, a, now)
	if over != nil && shown() {
		over = s.take(&s.shown, a, now)
	}
	if over != nil {
		over.Add()
	}
	return over == nil
}

// take returns the limit that is reached; nil: an answer was taken.
func (s *answerLimits) take(b *buckets, a netip.Addr, now int64) *limit.Count {
	switch {
	case b.each.TakeAt(limit.Address(a), 1, now) > 0:
		return s.counts.answersPerAddress
	case b.all.TakeAt(1, now) > 0:
		return s.counts.answers
	}
	return nil
}
