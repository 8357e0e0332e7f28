package auth

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/text/unicode/norm"
)

// body answers every request with the same bytes.
type body []byte

func (b body) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(b))}, nil
}

// Whatever the server of keys publishes, a token that is signed by none of them is not good.
func FuzzKeys(f *testing.F) {
	for _, text := range []string{
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[{"kty":"oct","kid":"a","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}`,
		`{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQAB"},{"kty":"EC","crv":"P-256","kid":"a","x":"","y":""}]}`,
		`{"keys":[]}`, `[]`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, published []byte) {
		v := newVerifier(t, Config{JWKSURL: "http://127.0.0.1/keys", Issuer: "i", Audience: "a"})
		v.jwks.client.Transport = body(published)
		for _, alg := range []string{"EdDSA", "RS256", "ES256", "HS256", "none"} {
			token := unsigned(t, alg)
			if id, err := v.Verify(t.Context(), token); err == nil {
				t.Errorf("%s: a token that nobody signed made %v", alg, id)
			}
		}
	})
}

// unsigned is a token that says it is signed, with a signature of zeros.
func unsigned(t *testing.T, alg string) string {
	t.Helper()
	c := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "alice", "iss": "i", "aud": "a", "exp": time.Now().Add(time.Hour).Unix()})
	c.Header["alg"], c.Header["kid"] = alg, "a"
	text, err := c.SigningString()
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + strings.Repeat("A", 86)
}

// Ids and names that are accepted show what they are.
func FuzzUser(f *testing.F) {
	for _, s := range []string{"alice", "guest:x", "a\u200db", "\u3164", "e\u0301", "é", "\ufe0f❤", "a b", "\U000e0041", "\xff", strings.Repeat("0", maxName-1) + " 0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ValidUser(s) && (norm.NFC.String(s) != s || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || Ignorable(r) })) {
			t.Errorf("%q may be an id", s)
		}
		name := cleanName(s)
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("%q is made the name %q", s, name)
		}
		if cleanName(name) != name {
			t.Errorf("%q cleaned again is %q", name, cleanName(name))
		}
	})
}
