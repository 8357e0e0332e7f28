package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

const (
	// cacheTime is how long a browser shows a file without asking again whether it may.
	cacheTime = 5 * time.Minute
	// takeTime is how long a connection may take no byte of a file.
	takeTime = time.Minute
	// mostRanges is how many parts of a file may be asked for at once; of more all of it is sent.
	mostRanges = 4
)

// URL is an address of a file, and one of its thumbnail if it has one. Both are paths on this server.
type URL struct {
	URL, Thumbnail string
	Until          int64 // unix ms
}

// URLs returns addresses for a user of those of files that they may have: seen are those which are in
// messages that they see. Own says that they may have all of their own, too; else only those that are
// in no message yet.
func (s *Server) URLs(ctx context.Context, user string, ids, seen []string, own bool) (map[string]URL, error) {
	urls := map[string]URL{}
	if s.content == nil {
		return urls, nil
	}
	until := untilTime(s.now(), s.cfg.urlTime())
	err := s.store.ReadFiles(ctx, func(v View) error {
		clear(urls)
		for _, id := range ids {
			if !isID(id) {
				continue
			}
			f, found, err := v.File(id)
			if err != nil {
				return err
			}
			mine := f.Owner == user && (own || f.CollectAt > 0)
			if !found || f.State != Finished || !mine && !slices.Contains(seen, id) {
				continue
			}
			g := grant{file: id, user: user, until: until.Unix()}
			u := URL{URL: s.sign.address(g), Until: until.UnixMilli()}
			if g.thumbnail = f.Thumbnail != ""; g.thumbnail {
				u.Thumbnail = s.sign.address(g)
			}
			urls[id] = u
		}
		return nil
	})
	return urls, err
}

var errAddress = refusal.New(refusal.NotAllowed, "This address of a file is wrong, or too old. Ask for a new one (file.urls).")

// fetch sends a file, or parts of it, to whom its address was made for, if they may have it still.
func (s *Server) fetch(w http.ResponseWriter, r *http.Request) {
	g, err := s.asked(r)
	var f File
	if err == nil {
		f, err = s.having(r.Context(), g)
	}
	if err == nil {
		err = s.send(w, r, f, g.thumbnail)
	}
	if err != nil {
		refusal.Answer(w, r, err, s.log)
	}
}

// asked checks the address of a request, before anybody else is troubled by it.
func (s *Server) asked(r *http.Request) (grant, error) {
	g, good := s.sign.check(r.PathValue("file"), r.URL.Query(), s.now())
	if !good || !isID(g.file) {
		return g, errAddress
	}
	p := limit.Payer{User: g.user, Guest: strings.HasPrefix(g.user, "guest:"), Address: limit.Client(r.RemoteAddr)}
	return g, s.limits.fetches.Take(p, 1, s.now())
}

// having returns the file of a grant, if its user may have it now.
func (s *Server) having(ctx context.Context, g grant) (f File, err error) {
	err = s.store.ReadFiles(ctx, func(v View) (err error) {
		var found bool
		if f, found, err = v.File(g.file); err == nil && (!found || f.State != Finished) {
			err = errNoFile
		}
		return err
	})
	if err != nil || f.Owner == g.user {
		return f, err
	}
	seen, err := s.sees(ctx, g.user, []string{g.file})
	if err == nil && len(seen) == 0 {
		err = errNoFile
	}
	return f, err
}

// send answers with a file. Nothing of it can run as a page of ours, whatever it is.
func (s *Server) send(w http.ResponseWriter, r *http.Request, f File, thumbnail bool) error {
	name, bytes, mediaType, shown := f.ID, f.Bytes, "", true
	if mediaType, shown = servedType(f.Type); thumbnail {
		if f.Thumbnail == "" {
			return errNoFile
		}
		name, bytes, mediaType, shown = ThumbnailOf(f.ID), -1, f.Thumbnail, true
	}
	body, err := s.content.open(r.Context(), name, bytes)
	if errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("a file is not where it should be", "file", name, "err", err)
		return errGone
	}
	if err != nil {
		return s.storageFailed("read a file", err)
	}
	defer body.Close()
	disposition := "attachment"
	if shown {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // it is shown in pages of others
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(cacheTime.Seconds())))
	h.Set("ETag", fmt.Sprintf("%q", name)) // what has an id never changes
	if strings.Count(r.Header.Get("Range"), ",") >= mostRanges {
		r.Header.Del("Range")
	}
	http.ServeContent(&patient{ResponseWriter: w, s: s}, r, "", time.UnixMilli(f.CreatedAt), body)
	return nil
}

// patient lets an answer take as long as its bytes are taken.
type patient struct {
	http.ResponseWriter
	s       *Server
	renewed time.Time
}

func (p *patient) Write(b []byte) (int, error) {
	if now := p.s.now(); now.Sub(p.renewed) > takeTime/10 {
		p.renewed = now
		_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(now.Add(takeTime)) // else that of all answers holds
	}
	n, err := p.ResponseWriter.Write(b)
	p.s.metrics.sent.Add(float64(n))
	return n, err
}
