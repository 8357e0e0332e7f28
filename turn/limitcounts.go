package turn

import "carillon/limit"

// limitCounts counts what each limit has refused or dropped.
type limitCounts struct {
	perUser, perAddress, total                   *limit.Count
	permissions, channels                        *limit.Count
	relayKbps, userKbps, totalKbps               *limit.Count
	answersPerAddress, answers, requestsPerRelay *limit.Count
}

func newLimitCounts() *limitCounts {
	count := func(key string) *limit.Count { return limit.NewCount("turn." + key) }
	return &limitCounts{
		perUser: count("quota.per_user"), perAddress: count("quota.per_address"), total: count("quota.total"),
		permissions: count("quota.permissions"), channels: count("quota.channels"),
		relayKbps: count("quota.relay_kbps"), userKbps: count("quota.user_kbps"), totalKbps: count("quota.total_kbps"),
		answersPerAddress: count("limits.answers_per_address"), answers: count("limits.answers"),
		requestsPerRelay: count("limits.requests_per_relay"),
	}
}

func (l *limitCounts) counts() []*limit.Count {
	return []*limit.Count{
		l.perUser, l.perAddress, l.total, l.permissions, l.channels, l.relayKbps, l.userKbps, l.totalKbps,
		l.answersPerAddress, l.answers, l.requestsPerRelay,
	}
}

// within returns ok, which says that a limit is kept; if it is not, its count grows.
func within(ok bool, c *limit.Count) bool {
	if !ok {
		c.Add()
	}
	return ok
}
