package preview

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const maxHeader = 64 << 10 // bytes of the header of an answer

// fetcher asks for pages and pictures. It sends no cookie, no referrer and nothing of whoever
// wants a preview, and knows of no proxy.
type fetcher struct {
	// Fixed at construction.
	policy    *policy
	client    *http.Client
	agent     string
	redirects int
}

func newFetcher(p *policy, d *dialer, trust *tls.Config, agent string, redirects int) *fetcher {
	secure := trust.Clone()
	secure.MinVersion = tls.VersionTLS12
	return &fetcher{
		policy: p, agent: agent, redirects: redirects,
		client: &http.Client{
			Transport: &http.Transport{
				DialContext: d.DialContext, TLSClientConfig: secure, MaxResponseHeaderBytes: maxHeader,
				DisableKeepAlives: true, DisableCompression: true, // what is compressed is bounded here on both sides
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// answer is a page or a picture. Close its body.
type answer struct {
	from        *url.URL // after redirects
	contentType string   // in lower case, without parameters; empty: not told
	header      http.Header
	body        io.ReadCloser // decompressed; ends after the most that was asked for, without an error
}

var errRedirects = errors.New("redirected too often")

// get asks for a link, and follows redirects. Of the body most bytes can be read, of those that come over the
// network and of those that they decompress to. ctx bounds reading it, too.
func (f *fetcher) get(ctx context.Context, link *url.URL, accept string, most int) (*answer, error) {
	for range f.redirects + 1 {
		got, next, err := f.once(ctx, link, accept, most)
		if err != nil || got != nil {
			return got, err
		}
		link = next
	}
	return nil, errRedirects
}

// once asks once; it returns an answer or where that leads.
func (f *fetcher) once(ctx context.Context, link *url.URL, accept string, most int) (*answer, *url.URL, error) {
	if err := f.policy.host(link.Hostname()); err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("User-Agent", f.agent)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := f.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	got, next, err := read(response, link, most)
	if got == nil {
		response.Body.Close()
	}
	return got, next, err
}

// read makes an answer of a response, or finds where it leads.
func read(response *http.Response, link *url.URL, most int) (*answer, *url.URL, error) {
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err := resolved(link, response.Header.Get("Location"))
		if err != nil {
			return nil, nil, fmt.Errorf("redirected to what %w", err)
		}
		return nil, next, nil
	default:
		return nil, nil, fmt.Errorf("answered %d", response.StatusCode)
	}
	body := io.LimitReader(response.Body, int64(most))
	switch coding := strings.ToLower(strings.TrimSpace(response.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, nil, fmt.Errorf("decompress: %w", err)
		}
		body = io.LimitReader(&cutOff{unzipped}, int64(most))
	default:
		return nil, nil, fmt.Errorf("compressed as %.20q, which was not asked for", coding)
	}
	contentType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		contentType = ""
	}
	return &answer{
		from: link, contentType: contentType, header: response.Header,
		body: struct {
			io.Reader
			io.Closer
		}{body, response.Body},
	}, nil, nil
}

// cutOff ends where compressed data was cut off.
type cutOff struct{ io.Reader }

func (c *cutOff) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// resolved reads a reference that a page or a redirect has made.
func resolved(from *url.URL, reference string) (*url.URL, error) {
	reference = strings.TrimSpace(reference)
	if reference == "" || len(reference) > maxLink || strings.ContainsRune(reference, '\\') { // which browsers take for a /
		return nil, errNoLink
	}
	u, err := url.Parse(reference)
	if err != nil {
		return nil, errNoLink
	}
	return parseLink(from.ResolveReference(u).String())
}
