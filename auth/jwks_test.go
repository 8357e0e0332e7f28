package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"carillon/refusal"
)

// provider is an identity provider that publishes its keys.
type provider struct {
	*httptest.Server
	t       *testing.T
	fetches atomic.Int32
	down    atomic.Bool

	mu   sync.Mutex
	keys map[string]*ecdsa.PrivateKey
}

func newProvider(t *testing.T, kids ...string) *provider {
	p := &provider{t: t, keys: map[string]*ecdsa.PrivateKey{}}
	for _, kid := range kids {
		p.publish(kid)
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		if p.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		var set jose.JSONWebKeySet
		for kid, key := range p.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: kid, Use: "sig"})
		}
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(p.Close)
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *provider) publish(kid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[kid] = newKey(p.t)
}

func (p *provider) withdraw(kid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.keys, kid)
}

const (
	issuer   = "https://id.example"
	audience = "calls"
)

func (p *provider) config() Config {
	return Config{JWKSURL: p.URL, Issuer: issuer, Audience: audience}
}

// token is one of alice's, signed by the key that has this name.
func (p *provider) token(kid string, change ...func(jwt.MapClaims)) string {
	p.t.Helper()
	p.mu.Lock()
	key := p.keys[kid]
	p.mu.Unlock()
	c := jwt.MapClaims{"sub": "alice", "iss": issuer, "aud": audience, "exp": time.Now().Add(time.Hour).Unix()}
	for _, f := range change {
		f(c)
	}
	return sign(p.t, jwt.SigningMethodES256, kid, key, c)
}

func TestKeysFromJWKS(t *testing.T) {
	site := newProvider(t, "site")
	v := newVerifier(t, site.config())
	if id, err := v.Verify(t.Context(), site.token("site")); err != nil || id.User != "alice" {
		t.Errorf("signed by the site: got %v, %v", id, err)
	}
	set := func(claim string, value any) string {
		return site.token("site", func(c jwt.MapClaims) { c[claim] = value })
	}
	without := func(claim string) string { return site.token("site", func(c jwt.MapClaims) { delete(c, claim) }) }
	for name, test := range map[string]struct {
		token string
		want  refusal.Code
	}{
		"a stranger":               {sign(t, jwt.SigningMethodES256, "site", newKey(t), jwt.MapClaims{"sub": "alice", "iss": issuer, "aud": audience, "exp": time.Now().Add(time.Hour).Unix()}), refusal.TokenWrongKey},
		"expired":                  {set("exp", time.Now().Add(-time.Hour).Unix()), refusal.TokenExpired},
		"of another issuer":        {set("iss", "https://evil.example"), refusal.TokenMalformed},
		"of no issuer":             {without("iss"), refusal.TokenMalformed},
		"for another site":         {set("aud", "shop"), refusal.TokenMalformed},
		"for several other sites":  {set("aud", []string{"shop", "forum"}), refusal.TokenMalformed},
		"for nobody in particular": {without("aud"), refusal.TokenMalformed},
	} {
		if id, err := v.Verify(t.Context(), test.token); !refusal.Is(err, test.want) {
			t.Errorf("%s: got %v, %v, want %s", name, id, err, test.want)
		}
	}
	if _, err := v.Verify(t.Context(), set("aud", []string{"shop", audience})); err != nil {
		t.Errorf("for several sites and this one: %v", err)
	}
	if _, err := v.Mint("alice", "", time.Hour); err == nil {
		t.Error("minted a token without having a private key")
	}
	if n := site.fetches.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times, want once", n)
	}
}

func TestATokenNeedNotNameItsKey(t *testing.T) {
	site := newProvider(t, "old", "new")
	v := newVerifier(t, site.config())
	for _, kid := range []string{"old", "new"} {
		unnamed := sign(t, jwt.SigningMethodES256, "", site.keys[kid], jwt.MapClaims{"sub": "alice", "iss": issuer, "aud": audience, "exp": time.Now().Add(time.Hour).Unix()})
		if _, err := v.Verify(t.Context(), unnamed); err != nil {
			t.Errorf("signed by the %s key: %v", kid, err)
		}
	}
}

// comesBack reports whether a refusal says when the same token may be good.
func comesBack(err error) bool {
	e, ok := refusal.Of(err)
	return ok && e.Code == refusal.Busy && e.Retry > 0
}

func TestUnknownKeysCauseOneFetchForEverybody(t *testing.T) {
	site := newProvider(t, "site")
	v := newVerifier(t, site.config())
	now := time.Now()
	v.now = func() time.Time { return now }
	if _, err := v.Verify(t.Context(), site.token("site")); err != nil {
		t.Fatal(err)
	}
	invented := func() string {
		return sign(t, jwt.SigningMethodES256, rand.Text(), newKey(t), jwt.MapClaims{"sub": "alice", "exp": now.Add(time.Hour).Unix()})
	}
	for range 100 {
		if _, err := v.Verify(t.Context(), invented()); !comesBack(err) {
			t.Fatalf("an invented key right after a fetch: got %v, want it to come back", err)
		}
	}
	if n := site.fetches.Load(); n != 1 {
		t.Errorf("100 invented keys made %d fetches, want none but the first", n)
	}
	site.publish("rotated")
	_, err := v.Verify(t.Context(), site.token("rotated"))
	if !comesBack(err) {
		t.Errorf("a key that is new since the last fetch: got %v, want it to come back", err)
	}
	e, _ := refusal.Of(err)
	now = now.Add(e.Retry)
	if _, err := v.Verify(t.Context(), site.token("rotated")); err != nil {
		t.Errorf("came back as told: %v", err)
	}
	now = now.Add(fetchEvery)
	if _, err := v.Verify(t.Context(), invented()); !refusal.Is(err, refusal.TokenWrongKey) {
		t.Errorf("a key that is not published: got %v, want %s", err, refusal.TokenWrongKey)
	}
	if n := site.fetches.Load(); n != 3 {
		t.Errorf("%d fetches in all, want 3", n)
	}
}

func TestManyAtOnceShareAFetch(t *testing.T) {
	site := newProvider(t, "site")
	v := newVerifier(t, site.config())
	token := site.token("site")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := site.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want one", n)
	}
}

func TestAnOutageOfTheKeyServerMeansComeBack(t *testing.T) {
	site := newProvider(t, "site")
	v := newVerifier(t, site.config())
	now := time.Now()
	v.now = func() time.Time { return now }
	site.down.Store(true)
	for range 2 {
		if _, err := v.Verify(t.Context(), site.token("site")); !comesBack(err) {
			t.Fatalf("while the key server is down: got %v, want it to come back", err)
		}
	}
	if n := site.fetches.Load(); n != 1 {
		t.Errorf("%d fetches from a server that is down, want one", n)
	}
	site.down.Store(false)
	now = now.Add(fetchEvery)
	if _, err := v.Verify(t.Context(), site.token("site")); err != nil {
		t.Fatalf("after the outage: %v", err)
	}
	site.Close() // now it does not even answer
	now = now.Add(freshTime + time.Second)
	if _, err := v.Verify(t.Context(), site.token("site", func(c jwt.MapClaims) { c["exp"] = now.Add(time.Hour).Unix() })); err != nil {
		t.Errorf("a known key while the key server is down: %v", err)
	}
	now = now.Add(fetchEvery)
	site.publish("rotated")
	if _, err := v.Verify(t.Context(), site.token("rotated")); !comesBack(err) {
		t.Errorf("an unknown key while the key server is down: got %v, want it to come back", err)
	}
	hanging, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(hanging, site.token("rotated")); !comesBack(err) {
		t.Errorf("whoever cannot wait: got %v, want it to come back", err)
	}
}

func TestAWithdrawnKeyEnds(t *testing.T) {
	site := newProvider(t, "site", "stolen")
	v := newVerifier(t, site.config())
	now := time.Now()
	v.now = func() time.Time { return now }
	if _, err := v.Verify(t.Context(), site.token("stolen")); err != nil {
		t.Fatal(err)
	}
	stolen := site.token("stolen")
	site.withdraw("stolen")
	before := now // when they were fetched
	now = now.Add(freshTime + time.Second)
	_, _ = v.Verify(t.Context(), stolen) // begins to fetch, and does not wait
	if _, err := v.jwks.newest(t.Context(), before); err != nil && !comesBack(err) {
		t.Fatal(err)
	}
	now = now.Add(fetchEvery)
	if _, err := v.Verify(t.Context(), stolen); !refusal.Is(err, refusal.TokenWrongKey) {
		t.Errorf("got %v, want %s", err, refusal.TokenWrongKey)
	}
}

func TestAJWKSNeedsIssuerAndAudience(t *testing.T) {
	for want, c := range map[string]Config{
		"issuer: ":    {JWKSURL: "https://id.example/keys", Audience: audience},
		"audience: ":  {JWKSURL: "https://id.example/keys", Issuer: issuer},
		"issuer: o":   {Issuer: issuer},
		"audience: o": {Audience: audience},
	} {
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: got %v, want an error about %s", c, err, want)
		}
	}
	if err := (Config{JWKSURL: "https://id.example/keys", Issuer: issuer, Audience: audience}).Validate(); err != nil {
		t.Error(err)
	}
}
