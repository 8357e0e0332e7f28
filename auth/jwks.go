package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"carillon/refusal"
)

const (
	fetchEvery  = 10 * time.Second // whoever asks: no token makes us fetch more often
	fetchTime   = 5 * time.Second
	freshTime   = 5 * time.Minute // after which keys are fetched again, so that one that was withdrawn ends
	maxKeyBytes = 1 << 20
)

// publishedKeys are the public keys that the site publishes at a URL (RFC 7517).
//
// Anyone can name a key that it does not hold, so all of them together cause one fetch per
// fetchEvery, and those who come in between are told to come back. A server of keys that is
// down keeps nobody away whose key is known, and makes the others come back.
type publishedKeys struct {
	// Fixed at construction.
	ctx    context.Context // of the fetches
	url    string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	keys    []jose.JSONWebKey // replaced, never edited
	fetched time.Time         // when keys were
	failure error             // of the last fetch
	begun   time.Time         // when the last fetch was
	ended   chan struct{}     // closed when that fetch has ended; nil: none is under way
}

func newPublishedKeys(ctx context.Context, url string, log *slog.Logger, now func() time.Time) *publishedKeys {
	return &publishedKeys{ctx: ctx, url: url, client: &http.Client{Timeout: fetchTime}, log: log, now: now}
}

// use calls try with the keys that are known, and when they do not fit with those that are
// published now. It returns a refusal to come back when it is not known what is published.
func (p *publishedKeys) use(ctx context.Context, try func([]jose.JSONWebKey) (fit bool)) error {
	p.mu.Lock()
	keys, fetched := p.keys, p.fetched
	if !p.fetched.IsZero() && p.now().Sub(p.fetched) > freshTime {
		_, _ = p.fetchLocked() // nobody waits for it
	}
	p.mu.Unlock()
	if try(keys) {
		return nil
	}
	keys, err := p.newest(ctx, fetched)
	if err != nil {
		return err
	}
	try(keys)
	return nil
}

// newest returns the keys of a fetch that has ended since those were tried that were fetched
// at a time.
func (p *publishedKeys) newest(ctx context.Context, tried time.Time) ([]jose.JSONWebKey, error) {
	p.mu.Lock()
	if !p.fetched.Equal(tried) {
		defer p.mu.Unlock()
		return p.keys, nil
	}
	ended, wait := p.fetchLocked()
	p.mu.Unlock()
	if ended == nil {
		return nil, refusal.After(wait, refusal.Busy, "It is not known yet whether the key that signed the token is good. Try again in a moment.")
	}
	select {
	case <-ended:
	case <-ctx.Done():
		return nil, errNoKeys
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure != nil {
		return nil, errNoKeys
	}
	return p.keys, nil
}

var errNoKeys = refusal.After(fetchEvery, refusal.Busy, "The keys that sign tokens (auth.jwks_url) cannot be fetched now. Try again in a moment.")

// fetchLocked returns the fetch that is under way, and begins one if it is time; otherwise
// nil and how long to wait.
func (p *publishedKeys) fetchLocked() (ended chan struct{}, wait time.Duration) {
	if p.ended != nil {
		return p.ended, 0
	}
	if wait := p.begun.Add(fetchEvery).Sub(p.now()); wait > 0 {
		return nil, wait
	}
	p.begun, p.ended = p.now(), make(chan struct{})
	go p.fetch() // ends within fetchTime, by closing p.ended
	return p.ended, 0
}

func (p *publishedKeys) fetch() {
	keys, err := p.get()
	if err != nil {
		p.log.Warn("keys that sign tokens cannot be fetched, those from before stay in use", "url", p.url, "err", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure = err; err == nil {
		p.keys, p.fetched = keys, p.now()
	}
	close(p.ended)
	p.ended = nil
}

func (p *publishedKeys) get() ([]jose.JSONWebKey, error) {
	r, err := http.NewRequestWithContext(p.ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", answer.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxKeyBytes)).Decode(&set); err != nil {
		return nil, fmt.Errorf("read JWKS: %w", err)
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("the JWKS holds no key")
	}
	return set.Keys, nil
}
