package files

import (
	"slices"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// limits bound what users and addresses may upload and ask for.
type limits struct {
	uploads *limit.Budget // begun
	fetches *limit.Budget
	running *limit.Quota // uploads whose bytes come just now

	fileBytes, userBytes, guestBytes, allBytes, guestsBytes, freeBytes *limit.Count
}

func newLimits(c Config) *limits {
	begun := func(key string, n int) limit.Share {
		return limit.Share{Key: "files.rates." + key, Rate: limit.Per(time.Minute, n, 5*time.Minute)}
	}
	asked := func(key string, n int) limit.Share {
		return limit.Share{Key: "files.rates." + key, Rate: limit.Per(time.Second, n, 5*time.Second)}
	}
	quota := func(key string) *limit.Count { return limit.NewCount("files.quota." + key) }
	r, q := c.Rates, c.Quota
	return &limits{
		uploads: limit.NewBudget(limit.Shares{
			User: begun("user_uploads", r.UserUploads), Address: begun("address_uploads", r.AddressUploads),
			Guest: begun("guest_uploads", r.GuestUploads), GuestAddress: begun("guest_address_uploads", r.GuestAddressUploads),
			Refusal: "You have begun to upload many files. Wait a moment.",
		}),
		fetches: limit.NewBudget(limit.Shares{
			User: asked("user_fetches", r.UserFetches), Address: asked("address_fetches", r.AddressFetches),
		}),
		running: limit.NewQuota(limit.Caps{
			User:    limit.Cap{Key: "files.quota.user_uploads", N: q.UserUploads},
			Address: limit.Cap{Key: "files.quota.address_uploads", N: q.AddressUploads},
			All:     limit.Cap{Key: "files.quota.uploads", N: q.Uploads},
			Guests:  limit.Cap{Key: "files.quota.guests_uploads", N: q.GuestsUploads},
			Refusal: refusal.After(5*time.Second, refusal.RateLimited, "You upload too many files at once. Let some finish first."),
		}),
		fileBytes: quota("file_bytes"), userBytes: quota("user_bytes"), guestBytes: quota("guest_bytes"),
		allBytes: quota("all_bytes"), guestsBytes: quota("guests_bytes"), freeBytes: quota("free_bytes"),
	}
}

func (l *limits) counts() []*limit.Count {
	return slices.Concat(l.uploads.Counts(), l.fetches.Counts(), l.running.Counts(),
		[]*limit.Count{l.fileBytes, l.userBytes, l.guestBytes, l.allBytes, l.guestsBytes, l.freeBytes})
}

// mayHave decides whether an owner may have so many bytes, when all of their kind have so many.
func (l *limits) mayHave(q Quota, guest bool, own, all int64) error {
	ownMost, ownOver, allMost, allOver := q.UserBytes, l.userBytes, q.AllBytes, l.allBytes
	if guest {
		ownMost, ownOver, allMost, allOver = q.GuestBytes, l.guestBytes, q.GuestsBytes, l.guestsBytes
	}
	switch {
	case own > int64(ownMost):
		ownOver.Add()
		return refusal.New(refusal.QuotaReached, "Your files may have %d MB in all. Remove messages with files, or send smaller ones.", ownMost>>20)
	case all > int64(allMost):
		allOver.Add()
		return refusal.After(time.Minute, refusal.StorageFailed, "The server has no room for more files. Try again later.")
	}
	return nil
}

// maySize refuses a file that is too large whoever sends it.
func (l *limits) maySize(q Quota, bytes int64) error {
	if bytes > int64(q.FileBytes) {
		l.fileBytes.Add()
		return refusal.New(refusal.TooLarge, "A file may have at most %d MB.", q.FileBytes>>20)
	}
	return nil
}
