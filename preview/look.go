package preview

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"carillon/chat"
)

func (s *Service) timeout() time.Duration { return time.Duration(s.cfg.TimeoutSeconds) * time.Second }

// look returns what is behind a link, without URL. A preview without a Site shows nothing. All errors are ours.
func (s *Service) look(link *url.URL) (chat.Preview, error) {
	found, err, _ := s.flights.Do(link.String(), func() (any, error) { return s.lookOnce(link) })
	p, _ := found.(chat.Preview)
	return p, err
}

func (s *Service) lookOnce(link *url.URL) (chat.Preview, error) {
	sum := sha256.Sum256([]byte(link.String()))
	key := hex.EncodeToString(sum[:])
	ctx, cancel := context.WithTimeout(s.ctx, 2*s.timeout()+decodeTime)
	defer cancel()
	known, cached, err := s.deps.Store.Preview(ctx, key, time.Duration(s.cfg.CacheHours)*time.Hour)
	if err != nil {
		return chat.Preview{}, err
	}
	if cached {
		s.results.WithLabelValues("cached").Inc()
		return known, nil
	}
	p, jpeg, err := s.find(ctx, link)
	if s.ctx.Err() != nil {
		return chat.Preview{}, errClosing
	}
	result := "made"
	if err != nil || p.Site == "" {
		result = "nothing"
		s.deps.Log.Debug("no preview of a link", "host", link.Host, "err", err)
	}
	s.results.WithLabelValues(result).Inc()
	return p, s.deps.Store.PutPreview(s.ctx, key, p, jpeg)
}

// find asks for a page, or a picture, and makes a preview of it. An error says why there is none.
func (s *Service) find(ctx context.Context, link *url.URL) (p chat.Preview, jpeg []byte, err error) {
	defer func() {
		if fault := recover(); fault != nil { // of a library that reads what strangers wrote
			s.deps.Log.Error("preview of a link panicked", "host", link.Host, "panic", fault, "stack", string(debug.Stack()))
			p, jpeg, err = chat.Preview{}, nil, errors.New("panicked")
		}
	}()
	site := strings.TrimPrefix(link.Host, "www.")
	asked, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	got, err := s.fetch.get(asked, link, "text/html,application/xhtml+xml,image/*;q=0.9,*/*;q=0.5", max(s.cfg.PageBytes, s.cfg.PictureBytes+1))
	if err != nil {
		return p, nil, err
	}
	defer got.body.Close()
	switch kind, _, _ := strings.Cut(got.contentType, "/"); {
	case got.contentType == "text/html" || got.contentType == "application/xhtml+xml":
		about, err := readPage(io.LimitReader(got.body, int64(s.cfg.PageBytes)), got.header.Get("Content-Type"))
		if err != nil {
			return p, nil, err
		}
		got.body.Close() // what is left of it is not wanted
		p = chat.Preview{Site: site, Title: best(about.title), Description: best(about.description)}
		made := s.pictureOf(ctx, got.from, about)
		return whole(p, made), made.jpeg, nil
	case kind == "image":
		p = chat.Preview{Site: site, Title: nameOf(got)}
		made, err := s.makePicture(asked, got.body)
		if err != nil {
			p.Description = got.contentType
		}
		return whole(p, made), made.jpeg, nil
	case got.contentType != "":
		return whole(chat.Preview{Site: site, Title: nameOf(got), Description: got.contentType}, picture{}), nil, nil
	}
	return p, nil, errors.New("does not say what it is")
}

// whole cleans what strangers wrote, and adds the picture. What then has neither a title nor a picture shows nothing.
func whole(p chat.Preview, made picture) chat.Preview {
	p = p.Clean()
	if made.jpeg != nil {
		p.Picture = &chat.PreviewPicture{Key: rand.Text(), Width: made.width, Height: made.height}
	}
	if p.Title == "" && p.Picture == nil {
		return chat.Preview{}
	}
	return p
}

// pictureOf asks for the picture that a page names best. If there is none that can be shown the
// preview has none.
func (s *Service) pictureOf(ctx context.Context, from *url.URL, about page) picture {
	link, err := resolved(from, best(about.picture))
	if err != nil {
		return picture{}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	got, err := s.fetch.get(ctx, link, "image/*", s.cfg.PictureBytes+1)
	if err != nil {
		s.deps.Log.Debug("no picture for a preview", "host", link.Host, "err", err)
		return picture{}
	}
	defer got.body.Close()
	if !strings.HasPrefix(got.contentType, "image/") {
		return picture{}
	}
	made, err := s.makePicture(ctx, got.body)
	if err != nil {
		s.deps.Log.Debug("no picture for a preview", "host", link.Host, "err", err)
	}
	return made
}

func (s *Service) makePicture(ctx context.Context, body io.Reader) (picture, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return picture{}, err
	}
	if len(data) > s.cfg.PictureBytes {
		return picture{}, errors.New("a picture of too many bytes")
	}
	select {
	case s.decoding <- struct{}{}:
		defer func() { <-s.decoding }()
	case <-ctx.Done():
		return picture{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, decodeTime)
	defer cancel()
	return makePicture(ctx, data, s.cfg.PicturePixels)
}

// nameOf is the name of a file as its server or else its address tells it.
func nameOf(got *answer) string {
	_, parameters, err := mime.ParseMediaType(got.header.Get("Content-Disposition"))
	if err != nil {
		parameters = nil
	}
	name := cmp.Or(parameters["filename"], path.Base(got.from.Path))
	return strings.Trim(path.Base(strings.ReplaceAll(name, `\`, "/")), "/.")
}
