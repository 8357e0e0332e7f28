package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"time"
)

// nonceLifetime is how long a client may use one nonce before it gets 438 with a new one.
// https://www.rfc-editor.org/rfc/rfc8656#section-5
const nonceLifetime = time.Hour

// nonces makes nonces that need no memory: the time, and a MAC over the time and the
// client's address, so that a recorded request is of no use from elsewhere.
type nonces struct{ key []byte }

func newNonces() *nonces {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return &nonces{key}
}

func (n *nonces) make(client netip.AddrPort, now time.Time) string {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(now.Unix()))
	return hex.EncodeToString(append(at[3:], n.mac(at, client)...))
}

// valid is true for a nonce that we made for this client in the last hour.
func (n *nonces) valid(nonce []byte, client netip.AddrPort, now time.Time) bool {
	var raw [13]byte
	if len(nonce) != 2*len(raw) {
		return false
	}
	if _, err := hex.Decode(raw[:], nonce); err != nil {
		return false
	}
	var at [8]byte
	copy(at[3:], raw[:5])
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(at[:])), 0))
	return age > -time.Minute && age < nonceLifetime && hmac.Equal(raw[5:], n.mac(at, client))
}

func (n *nonces) mac(at [8]byte, client netip.AddrPort) []byte {
	mac := hmac.New(sha256.New, n.key)
	mac.Write(at[:])
	ip := client.Addr().As16()
	mac.Write(ip[:])
	binary.Write(mac, binary.BigEndian, client.Port())
	return mac.Sum(nil)[:8]
}
