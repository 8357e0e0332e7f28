package turn

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Credential makes the name and password that coturn's use-auth-secret also makes:
// "EXPIRY:USER" and the base64 of its HMAC-SHA1.
// https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00#section-2.2
func Credential(secret, user string, expires time.Time) (name, password string) {
	name = strconv.FormatInt(expires.Unix(), 10)
	if user != "" {
		name += ":" + user
	}
	return name, sign(secret, name)
}

func sign(secret, name string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// longTermKey is the key of the long-term credential mechanism.
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2
func longTermKey(name, realm, password string) []byte {
	key := md5.Sum([]byte(name + ":" + realm + ":" + password))
	return key[:]
}

// identity is what a name means to us.
type identity struct {
	// user is the part of the name that stays when the credential is renewed; quotas count it.
	user string
	// keys are those that may have signed: one per secret, or the one of a static user.
	keys [][]byte
	// expires is zero for a static user.
	expires time.Time
}

// credentials knows who may ask for relays. It is fixed at construction.
type credentials struct {
	realm   string
	secrets []string
	users   map[string]string
}

// identify finds the identity behind a name; ok is false if the name can be nobody's.
func (c *credentials) identify(name string) (id identity, ok bool) {
	if password, static := c.users[name]; static {
		return identity{user: name, keys: [][]byte{longTermKey(name, c.realm, password)}}, true
	}
	user, expires, ok := splitName(name)
	if !ok || len(c.secrets) == 0 {
		return identity{}, false
	}
	id = identity{user: user, expires: expires}
	for _, secret := range c.secrets {
		id.keys = append(id.keys, longTermKey(name, c.realm, sign(secret, name)))
	}
	return id, true
}

// splitName takes "EXPIRY:USER", "USER:EXPIRY" and "EXPIRY" apart, as coturn does. Without
// a user every credential is its own user.
func splitName(name string) (user string, expires time.Time, ok bool) {
	first, rest, found := strings.Cut(name, ":")
	if at, ok := epoch(first); ok {
		if !found {
			rest = name
		}
		return rest, at, true
	}
	if !found {
		return "", time.Time{}, false
	}
	at, ok := epoch(rest)
	return first, at, ok
}

func epoch(text string) (time.Time, bool) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}

// ICEServer is one entry of a browser's RTCConfiguration.iceServers.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}
