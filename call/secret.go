package call

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewFresh makes an id and a secret of 130 bits each. Nobody guesses either, and a plain hash
// is enough to store the secret.
func NewFresh() Fresh { return Fresh{Leg: rand.Text(), Secret: rand.Text()} }

// digest of a leg's secret. Only this is stored.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}
