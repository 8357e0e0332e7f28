package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// WHIP brings peers to any WHIP and WHEP server.
type WHIP struct {
	Publish, Watch string
	Token          string // Bearer; empty: none

	client *http.Client // of the generator
}

func (s WHIP) publish(ctx context.Context, offer string) (string, func(context.Context) error, error) {
	return s.post(ctx, s.Publish, offer)
}

func (s WHIP) watch(ctx context.Context, offer string) (string, func(context.Context) error, error) {
	return s.post(ctx, s.Watch, offer)
}

// join needs a server that lets one WHIP session also receive, as ours does.
func (s WHIP) join(ctx context.Context, offer string) (string, func(context.Context) error, error) {
	return s.post(ctx, s.Publish, offer)
}

const signalTimeout = 15 * time.Second

// https://www.rfc-editor.org/rfc/rfc9725#section-4.2
func (s WHIP) post(ctx context.Context, endpoint, offer string) (answer string, leave func(context.Context) error, err error) {
	if endpoint == "" {
		return "", nil, errors.New("no URL is given for this half of WHIP and WHEP")
	}
	res, body, err := s.do(ctx, http.MethodPost, endpoint, offer)
	if err != nil {
		return "", nil, err
	}
	if res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK {
		return "", nil, &RefusedOffer{endpoint: endpoint, code: res.StatusCode, status: res.Status, body: body}
	}
	if !strings.HasPrefix(body, "v=0") {
		return "", nil, fmt.Errorf("%s answers %s with something that is no SDP: %s", endpoint, res.Status, excerpt(body))
	}
	location, err := res.Location()
	if err != nil {
		return body, nil, nil // the peer cannot tell that it leaves
	}
	return body, func(ctx context.Context) error { return s.remove(ctx, location) }, nil
}

// RefusedOffer is the answer of a server that does not want a peer.
type RefusedOffer struct {
	endpoint, status, body string
	code                   int
}

func (e *RefusedOffer) Error() string {
	return fmt.Sprintf("%s refuses: %s: %s", e.endpoint, e.status, excerpt(e.body))
}

// Early says whether the publisher may just not be announced yet.
func (e *RefusedOffer) Early() bool {
	return slices.Contains([]int{http.StatusNotFound, http.StatusConflict, http.StatusTooEarly, http.StatusServiceUnavailable}, e.code)
}

func (s WHIP) remove(ctx context.Context, location *url.URL) error {
	res, _, err := s.do(ctx, http.MethodDelete, location.String(), "")
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 && res.StatusCode != http.StatusNotFound {
		return fmt.Errorf("leave %s: %s", location, res.Status)
	}
	return nil
}

func (s WHIP) do(ctx context.Context, method, to, body string) (*http.Response, string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, signalTimeout, fmt.Errorf("no answer within %s", signalTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", to, err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/sdp")
		req.Header.Set("Accept", "application/sdp")
	}
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("reach the server: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 256<<10))
	if err != nil {
		return nil, "", fmt.Errorf("read the answer of %s: %w", to, err)
	}
	return res, string(b), nil
}

// newSignalClient keeps as many connections as peers connect at once.
func newSignalClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: setupAtOnce, IdleConnTimeout: 5 * time.Second}}
}

func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "(no text)"
	}
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return text
}
