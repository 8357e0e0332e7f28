package files

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"
)

// prefix is where files are served.
const prefix = "/files/"

// Addresses are made for times of this length, so that a browser which asks again meanwhile is
// given the same one, and has the file in its cache.
const addressStep = 5 * time.Minute

// signer makes addresses of files that are good for one user and a time, and checks them. An
// address says who may ask, not that they may have the file: that is asked each time.
type signer struct{ key []byte }

// grant is what an address is signed for.
type grant struct {
	file, user string
	until      int64 // unix seconds
	thumbnail  bool
}

// untilTime is until when an address is good that is made now for a time of that length.
func untilTime(now time.Time, length time.Duration) time.Time {
	return now.Add(length + addressStep - 1).Truncate(addressStep)
}

// address is the path and query of a file's address.
func (s signer) address(g grant) string {
	q := url.Values{"user": {g.user}, "until": {strconv.FormatInt(g.until, 10)}, "sig": {base64.RawURLEncoding.EncodeToString(s.sum(g))}}
	if g.thumbnail {
		q.Set("thumbnail", "1")
	}
	return prefix + g.file + "?" + q.Encode()
}

// check returns what a request for a file is signed for. False: it is not, or was too long ago. It
// takes the same time for each wrong signature, and asks nobody.
func (s signer) check(file string, q url.Values, now time.Time) (grant, bool) {
	until, err := strconv.ParseInt(q.Get("until"), 10, 64)
	g := grant{file: file, user: q.Get("user"), until: until, thumbnail: q.Get("thumbnail") == "1"}
	sum, wrong := base64.RawURLEncoding.DecodeString(q.Get("sig"))
	if err != nil || wrong != nil || !hmac.Equal(sum, s.sum(g)) {
		return grant{}, false
	}
	return g, now.Unix() < until
}

// sum is over each part with its length before it, so that no part can be taken for another.
func (s signer) sum(g grant) []byte {
	h := hmac.New(sha256.New, s.key)
	for _, part := range []string{"carillon file 1", g.file, g.user, strconv.FormatInt(g.until, 10), strconv.FormatBool(g.thumbnail)} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return h.Sum(nil)
}
