package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carillon/limit/limittest"
	"carillon/refusal"
)

const (
	keyA = "a-secret-of-at-least-thirty-two-bytes"
	keyB = "b-secret-of-at-least-thirty-two-bytes"
	own  = "o-secret-of-at-least-thirty-two-bytes"
)

var quiet = slog.New(slog.DiscardHandler)

func newVerifier(t *testing.T, c Config) *Verifier {
	t.Helper()
	never := func(context.Context, []string) (map[string]Revoked, error) { return nil, nil }
	v, err := NewVerifier(t.Context(), c, []byte(own), never, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t *testing.T, method jwt.SigningMethod, kid string, key any, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	if kid != "" {
		token.Header["kid"] = kid
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryWrongTokenHasItsOwnRefusal(t *testing.T) {
	v := newVerifier(t, Config{Keys: map[string]string{"a": keyA, "b": keyB}})
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	good := jwt.MapClaims{"sub": "alice", "exp": in(time.Hour)}
	hs := jwt.SigningMethodHS256
	for _, test := range []struct {
		name  string
		token string
		want  refusal.Code // empty: accepted
	}{
		{"good, by name", sign(t, hs, "b", []byte(keyB), good), ""},
		{"good, any key", sign(t, hs, "", []byte(keyB), good), ""},
		{"clock a little off", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "alice", "exp": in(-10 * time.Second), "iat": in(10 * time.Second)}), ""},
		{"missing", "", refusal.TokenMissing},
		{"garbage", "garbage", refusal.TokenMalformed},
		{"three dots", "a.b.c", refusal.TokenMalformed},
		{"huge", strings.Repeat("x", 1<<20), refusal.TokenMalformed},
		{"other secret", sign(t, hs, "a", []byte(keyB), good), refusal.TokenWrongKey},
		{"unknown name", sign(t, hs, "c", []byte(keyA), good), refusal.TokenWrongKey},
		{"forged as ours", sign(t, hs, ownKey, []byte(keyA), good), refusal.TokenWrongKey},
		{"no signature", sign(t, jwt.SigningMethodNone, "", jwt.UnsafeAllowNoneSignatureType, good), refusal.TokenWrongKey},
		{"other algorithm", sign(t, jwt.SigningMethodHS512, "a", []byte(keyA), good), refusal.TokenWrongKey},
		{"expired", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "alice", "exp": in(-time.Hour)}), refusal.TokenExpired},
		{"expired and forged", sign(t, hs, "a", []byte(keyB), jwt.MapClaims{"sub": "alice", "exp": in(-time.Hour)}), refusal.TokenWrongKey},
		{"never expires", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "alice"}), refusal.TokenMalformed},
		{"from the future", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "alice", "exp": in(2 * time.Hour), "iat": in(time.Hour)}), refusal.TokenNotYet},
		{"not yet", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "alice", "exp": in(2 * time.Hour), "nbf": in(time.Hour)}), refusal.TokenNotYet},
		{"nobody", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"exp": in(time.Hour)}), refusal.TokenMalformed},
		{"user with a space", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "a b", "exp": in(time.Hour)}), refusal.TokenMalformed},
		{"posing as a guest", sign(t, hs, "a", []byte(keyA), jwt.MapClaims{"sub": "guest:1", "exp": in(time.Hour)}), refusal.TokenMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			id, err := v.Verify(t.Context(), test.token)
			if test.want == "" && (err != nil || id.User != "alice") {
				t.Fatalf("got %v, %v, want alice", id, err)
			}
			if test.want != "" && !refusal.Is(err, test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestSigningOutEverywhereRevokesOlderTokens(t *testing.T) {
	var revoked time.Time
	v, err := NewVerifier(t.Context(), Config{}, []byte(own), func(context.Context, []string) (map[string]Revoked, error) {
		return map[string]Revoked{"alice": {Until: revoked}}, nil
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	v.now = func() time.Time { return now }
	before, _ := v.Mint("alice", "Alice", time.Hour)
	if _, err := v.Verify(t.Context(), before); err != nil {
		t.Fatalf("before signing out: %v", err)
	}
	revoked = now
	if _, err := v.Verify(t.Context(), before); !refusal.Is(err, refusal.TokenRevoked) {
		t.Errorf("old token after signing out: got %v, want %s", err, refusal.TokenRevoked)
	}
	now = now.Add(2 * time.Millisecond)
	after, _ := v.Mint("alice", "Alice", time.Hour)
	if _, err := v.Verify(t.Context(), after); err != nil {
		t.Errorf("new token after signing out: %v", err)
	}
}

func TestValidUser(t *testing.T) {
	for id, want := range map[string]bool{
		"alice": true, "auth0|5f7c": true, "alice@example.com": true, "爱丽丝": true, "Zoë": true, "한국": true, strings.Repeat("𝄞", 64): true,
		"": false, " alice": false, "a b": false, "a\nb": false, "a\x00": false, "\xff": false, "\ufffd": false, strings.Repeat("x", 65): false,
		// What leaves no trace on the screen.
		"a\u200bb": false, "a\u200db": false, "a\u202eb": false, "a\u00adb": false, "a\u034fb": false, "a\u115fb": false, "a\u3164b": false, "a\uffa0b": false, "a\ufe0fb": false,
		"a\u2064b": false, "a\U000e0061b": false, "a\U000e0100b": false, "a\u17b4b": false,
		// Unassigned, for private use, no character.
		"a\u0378b": false, "a\U0001fbffb": false, "a\ue000b": false, "a\ufffeb": false, "a\u2065b": false,
		// Not in normal form.
		"Zoe\u0308": false, "\u212b": false, "\u1112\u1161\u11ab": false, "\u1ea1\u0307": true, "a\u0323\u0307": false, "a\u0307\u0323": false,
	} {
		if got := ValidUser(id); got != want {
			t.Errorf("ValidUser(%q) = %t, want %t", id, got, want)
		}
	}
}

func TestShortSecretIsRefused(t *testing.T) {
	err := Config{Keys: map[string]string{"site": "short"}}.Validate()
	if err == nil || !strings.Contains(err.Error(), "keys.site") {
		t.Errorf("got %v, want an error that names keys.site", err)
	}
}

func post(h http.Handler, host, contentType, body string) (int, map[string]any) {
	r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", bytes.NewBufferString(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var answer map[string]any
	_ = json.Unmarshal(w.Body.Bytes(), &answer)
	return w.Code, answer
}

func TestDemoSignIn(t *testing.T) {
	v := newVerifier(t, Config{})
	h := v.DemoHandler(slog.New(slog.DiscardHandler))
	status, answer := post(h, "127.0.0.1:8080", "application/json", `{"user":"mary Ann"}`)
	if status != http.StatusOK {
		t.Fatalf("got %d %v", status, answer)
	}
	id, err := v.Verify(t.Context(), answer["token"].(string))
	if err != nil || id.User != "mary-ann" || id.Name != "Mary Ann" {
		t.Errorf("got %+v, %v, want mary-ann", id, err)
	}
	for _, bad := range []struct{ name, host, contentType, body string }{
		{"another site's form", "127.0.0.1", "text/plain", `{"user":"mary"}`},
		{"nonsense", "127.0.0.1", "application/json", `{"user":7}`},
		{"nobody", "127.0.0.1", "application/json", `{}`},
		{"a guest", "127.0.0.1", "application/json", `{"user":"guest:x"}`},
		{"too long", "127.0.0.1", "application/json", `{"user":"` + strings.Repeat("x", 65) + `"}`},
	} {
		if status, answer := post(h, bad.host, bad.contentType, bad.body); status == http.StatusOK {
			t.Errorf("%s: got %v, want a refusal", bad.name, answer)
		}
	}
}

func TestDemoTokensEndWithTheDemo(t *testing.T) {
	demo := newVerifier(t, Config{})
	token, err := demo.Mint("alice", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Verify(t.Context(), token); err != nil {
		t.Fatalf("in the demo: %v", err)
	}
	site := newVerifier(t, Config{Keys: map[string]string{"a": keyA}}) // in the same data folder
	if id, err := site.Verify(t.Context(), token); !refusal.Is(err, refusal.TokenWrongKey) {
		t.Errorf("after the site has keys: got %+v, %v, want %s", id, err, refusal.TokenWrongKey)
	}
}

func TestGuestsAreLimitedByAddress(t *testing.T) {
	v := newVerifier(t, Config{Keys: map[string]string{"a": keyA}, Guests: true, GuestsPerMinute: 2})
	h := v.GuestHandler(slog.New(slog.DiscardHandler))
	seen := map[string]bool{}
	for range 2 {
		status, answer := post(h, "h", "application/json", `{"name":"Visitor"}`)
		if status != http.StatusOK {
			t.Fatalf("got %d %v", status, answer)
		}
		id, err := v.Verify(t.Context(), answer["token"].(string))
		if err != nil || !id.Guest || seen[id.User] {
			t.Fatalf("got %+v, %v, want a new guest", id, err)
		}
		seen[id.User] = true
	}
	if status, answer := post(h, "h", "application/json", `{}`); status != http.StatusTooManyRequests || answer["code"] != string(refusal.RateLimited) {
		t.Errorf("third guest in a minute: got %d %v, want rate_limited", status, answer)
	}
	closed := newVerifier(t, Config{Keys: map[string]string{"a": keyA}}).GuestHandler(slog.New(slog.DiscardHandler))
	if status, _ := post(closed, "h", "application/json", `{}`); status != http.StatusForbidden {
		t.Errorf("guests off: got %d, want %d", status, http.StatusForbidden)
	}
}

// The default is one that a class behind one address never meets.
func TestAClassOfGuestsMeetsNoLimit(t *testing.T) {
	h := newVerifier(t, Config{Keys: map[string]string{"a": keyA}, Guests: true}).GuestHandler(slog.New(slog.DiscardHandler))
	ask := func(body string) map[string]any {
		t.Helper()
		status, answer := post(h, "h", "application/json", body)
		if status != http.StatusOK {
			t.Fatalf("got %d %v", status, answer)
		}
		return answer
	}
	for range 40 {
		ask(`{"name":"Phone"}`)
		laptop := ask(`{"name":"Laptop"}`)
		ask(fmt.Sprintf(`{"token":%q}`, laptop["token"])) // renewed
	}
}

func TestGuestStaysTheSameByRenewal(t *testing.T) {
	v := newVerifier(t, Config{Keys: map[string]string{"a": keyA}, Guests: true, GuestTokenSeconds: 3600, GuestsPerMinute: 100})
	h := v.GuestHandler(slog.New(slog.DiscardHandler))
	_, answer := post(h, "h", "application/json", `{"name":"Visitor"}`)
	token := answer["token"].(string)
	guest, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	renew := func(token string) (int, map[string]any) {
		body, _ := json.Marshal(map[string]string{"token": token})
		return post(h, "h", "application/json", string(body))
	}
	began := time.Now()
	for _, after := range []time.Duration{time.Minute, 119 * time.Minute} { // still good; expired for most of its life again
		v.now = func() time.Time { return began.Add(after) }
		status, answer := renew(token)
		if status != http.StatusOK {
			t.Fatalf("after %v: got %d %v", after, status, answer)
		}
		id, err := v.Verify(t.Context(), answer["token"].(string))
		if err != nil || id.User != guest.User || id.Name != "Visitor" || !id.Guest {
			t.Errorf("after %v: got %+v, %v, want the same guest %s", after, id, err, guest.User)
		}
	}
	v.now = func() time.Time { return began.Add(3 * time.Hour) }
	if status, answer := renew(token); status != http.StatusUnauthorized || answer["code"] != string(refusal.TokenExpired) {
		t.Errorf("expired for long: got %d %v, want %s", status, answer, refusal.TokenExpired)
	}
	v.now = time.Now
	user, err := v.Mint("alice", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := renew(user); status != http.StatusUnauthorized || answer["code"] != string(refusal.NotAllowed) {
		t.Errorf("a user of the site: got %d %v, want %s", status, answer, refusal.NotAllowed)
	}
	if status, answer := renew(token + "x"); status != http.StatusUnauthorized || answer["code"] != string(refusal.TokenWrongKey) {
		t.Errorf("forged: got %d %v, want %s", status, answer, refusal.TokenWrongKey)
	}
	v.revoked = func(_ context.Context, users []string) (map[string]Revoked, error) {
		return map[string]Revoked{users[0]: {Until: time.Now()}}, nil
	}
	if status, answer := renew(token); status != http.StatusUnauthorized || answer["code"] != string(refusal.TokenRevoked) {
		t.Errorf("signed out everywhere: got %d %v, want %s", status, answer, refusal.TokenRevoked)
	}
}

// A backend's tokens bear whole seconds. Who signs out everywhere and in again within the same
// second is let in; the token that was in use is not, nor one from before.
func TestSigningInAgainInTheSameSecond(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	second := at.Truncate(time.Second)
	r := Revoked{Until: at, Tokens: []TokenID{"in use"}}
	for _, c := range []struct {
		name string
		of   Identity
		want bool
	}{
		{"from the second before", Identity{IssuedAt: second.Add(-time.Second)}, true},
		{"from the same second", Identity{IssuedAt: second}, false},
		{"from the same second, and was in use", Identity{IssuedAt: second, Token: "in use"}, true},
		{"from the next second", Identity{IssuedAt: second.Add(time.Second)}, false},
		{"exact, from before", Identity{IssuedAt: at.Add(-time.Millisecond)}, true},
		{"exact, from the same moment", Identity{IssuedAt: at}, true},
		{"exact, from after", Identity{IssuedAt: at.Add(time.Millisecond)}, false},
	} {
		if got := r.Voids(c.of); got != c.want {
			t.Errorf("a token %s: void is %t, want %t", c.name, got, c.want)
		}
	}
	if (Revoked{}).Voids(Identity{}) {
		t.Error("a token of a user who revoked nothing is void")
	}
}

// The signature of a token can be written in several ways; it is the same token.
func TestATokenIsKnownHoweverItsSignatureIsWritten(t *testing.T) {
	v := newVerifier(t, Config{})
	token, err := v.Mint("alice", "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	id, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		other := token[:len(token)-1] + string(last)
		if same, err := v.Verify(t.Context(), other); err == nil && same.Token != id.Token {
			t.Errorf("written with %q at its end it has another id", last)
		}
	}
}

func TestGuestsEndWithTheSwitch(t *testing.T) {
	keys := map[string]string{"a": keyA}
	token, _, err := newVerifier(t, Config{Keys: keys, Guests: true}).MintGuest("Visitor")
	if err != nil {
		t.Fatal(err)
	}
	closed := newVerifier(t, Config{Keys: keys}) // with the same data folder
	if id, err := closed.Verify(t.Context(), token); !refusal.Is(err, refusal.TokenRevoked) {
		t.Errorf("a guest from before: got %+v, %v, want %s", id, err, refusal.TokenRevoked)
	}
	if _, _, err := closed.RenewGuest(t.Context(), token); !refusal.Is(err, refusal.TokenRevoked) {
		t.Errorf("renewal: got %v, want %s", err, refusal.TokenRevoked)
	}
	site := sign(t, jwt.SigningMethodHS256, "a", []byte(keyA), jwt.MapClaims{"sub": "visitor-7", "guest": true, "exp": time.Now().Add(time.Hour).Unix()})
	if id, err := closed.Verify(t.Context(), site); err != nil || !id.Guest {
		t.Errorf("a guest of the site's own: got %+v, %v", id, err)
	}
}

func FuzzVerify(f *testing.F) {
	v, _ := NewVerifier(context.Background(), Config{Keys: map[string]string{"a": keyA}}, []byte(own),
		func(context.Context, []string) (map[string]Revoked, error) { return nil, nil }, quiet)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6OTk5OTk5OTk5OX0.")
	f.Fuzz(func(t *testing.T, token string) {
		if id, err := v.Verify(t.Context(), token); err == nil {
			t.Errorf("a token nobody signed made %v", id)
		}
	})
}

func TestWrongTokensAreChargedToTheirAddress(t *testing.T) {
	v := newVerifier(t, Config{Keys: map[string]string{"a": keyA}, AttemptsPerSecond: 1}) // five at once
	from := func(address string) netip.Addr { return netip.MustParseAddr(address) }
	good := sign(t, jwt.SigningMethodHS256, "a", []byte(keyA), jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()})
	for range 20 { // what succeeds does not count
		if _, err := v.VerifyFrom(t.Context(), from("192.0.2.1"), good); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if _, err := v.VerifyFrom(t.Context(), from("192.0.2.1"), good[:len(good)-10]+"xxxxxxxxxx"); !refusal.Is(err, refusal.TokenWrongKey) {
			t.Fatalf("got %v, want %s", err, refusal.TokenWrongKey)
		}
	}
	if _, err := v.VerifyFrom(t.Context(), from("192.0.2.1"), good[:len(good)-10]+"xxxxxxxxxx"); !refusal.Is(err, refusal.RateLimited) {
		t.Errorf("the sixth: got %v, want %s", err, refusal.RateLimited)
	}
	if _, err := v.VerifyFrom(t.Context(), from("192.0.2.2"), good); err != nil {
		t.Errorf("another address: %v", err)
	}
}

// A list that is there allows what it lists, also when it is empty; one that is not there
// narrows nothing.
func TestATokenNarrowsItsUser(t *testing.T) {
	v := newVerifier(t, Config{Keys: map[string]string{"a": keyA}})
	for _, c := range []struct {
		lists                  map[string]any
		publish, watch, inRoom bool
	}{
		{nil, true, true, true},
		{map[string]any{"grants": nil, "conversations": nil}, true, true, true},
		{map[string]any{"grants": []string{"watch"}}, false, true, true},
		{map[string]any{"grants": []string{}}, false, false, true},
		{map[string]any{"conversations": []string{"room"}}, true, true, true},
		{map[string]any{"conversations": []string{"another"}}, true, true, false},
		{map[string]any{"conversations": []string{}}, true, true, false},
	} {
		claims := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
		for name, list := range c.lists {
			claims[name] = list
		}
		id, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodHS256, "a", []byte(keyA), claims))
		if err != nil {
			t.Errorf("%v: %v", c.lists, err)
			continue
		}
		s := id.Scope
		if s.Allows("publish") != c.publish || s.Allows("watch") != c.watch || s.Covers("room") != c.inRoom {
			t.Errorf("%v: publish %v, watch %v, in the room %v", c.lists, s.Allows("publish"), s.Allows("watch"), s.Covers("room"))
		}
		minted, err := v.MintNarrowed("alice", "", s, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := v.Verify(t.Context(), minted); err != nil || !again.Scope.Equal(s) {
			t.Errorf("minted and read again: %+v, %v; want %+v", again.Scope, err, s)
		}
	}
	for _, wrong := range []any{"watch", map[string]any{"publish": true}, []int{1}} {
		claims := jwt.MapClaims{"sub": "alice", "exp": time.Now().Add(time.Hour).Unix(), "grants": wrong}
		_, err := v.Verify(t.Context(), sign(t, jwt.SigningMethodHS256, "a", []byte(keyA), claims))
		if !refusal.Is(err, refusal.TokenMalformed) {
			t.Errorf("grants of another form (%v): got %v, want token_malformed", wrong, err)
		}
	}
}

func TestEveryLimitOfStrangersIsMeasured(t *testing.T) {
	v := newVerifier(t, Config{Keys: map[string]string{"a": keyA}, Guests: true, GuestsPerMinute: 1, AttemptsPerSecond: 1})
	h := v.GuestHandler(quiet)
	for range 6 {
		post(h, "h", "application/json", `{}`)
		_, _ = v.VerifyFrom(t.Context(), netip.MustParseAddr("192.0.2.1"), "wrong")
	}
	got := limittest.RefusedBy(t, v.Counts()...)
	if got["auth.guests_per_minute"] != 5 || got["auth.attempts_per_second"] != 1 {
		t.Errorf("refused and counted: %v, want 5 guests and 1 attempt", got)
	}
}

// A backend may list the same in another order each time.
func TestScopesAreEqualWhateverTheOrder(t *testing.T) {
	scope := Scope{Grants: []string{"publish", "watch"}, Conversations: []string{"a", "b"}}
	for _, c := range []struct {
		other Scope
		equal bool
	}{
		{Scope{Grants: []string{"watch", "publish", "watch"}, Conversations: []string{"b", "a"}}, true},
		{Scope{Grants: []string{"watch", "publish"}, Conversations: []string{"a"}}, false},
		{Scope{Grants: []string{"watch", "publish"}}, false}, // no list allows all
	} {
		if scope.Equal(c.other) != c.equal {
			t.Errorf("%v and %v: equal is %v", scope, c.other, !c.equal)
		}
	}
}
