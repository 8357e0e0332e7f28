package files

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"carillon/auth"
	"carillon/limit"
	"carillon/refusal"
)

// The tus protocol is spoken by tusd. Around it stands what it does not know: who asks, what they may
// have, and how this server says no.

// asking is the request that is being answered, for whom tusd calls.
type asking struct {
	who     auth.Identity
	cancels bool // it is a DELETE
	answer  *http.ResponseController

	err error // why it is refused, where tusd would say it in its own way
}

type askingKey struct{}

func askingOf(ctx context.Context) *asking { return ctx.Value(askingKey{}).(*asking) }

// refuse keeps an error for the answer, and returns it.
func (a *asking) refuse(err error) error {
	a.err = err
	return err
}

// identify finds out by its token who a request is from.
type identify = func(*http.Request) (auth.Identity, error)

// admit answers requests that nobody may make, and returns nil.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, find identify) *asking {
	who, err := find(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
	} else if !who.Scope.Allows("upload") {
		err = refusal.New(refusal.NotAllowed, "This token does not let you upload files: upload is not among its grants.")
	}
	if err != nil {
		refusal.Answer(w, r, err, s.log)
		return nil
	}
	return &asking{who: who, answer: http.NewResponseController(w)}
}

func payer(r *http.Request, who auth.Identity) limit.Payer {
	return limit.Payer{User: who.User, Guest: who.Guest, Address: limit.Client(r.RemoteAddr)}
}

// options answers which extensions of tus there are. It asks nobody who they are.
func (s *Server) options(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Tus-Max-Size", strconv.Itoa(s.cfg.Quota.FileBytes))
	s.speak(w, r, &asking{}, func(http.ResponseWriter, *http.Request) {})
}

// asks is for requests about an upload that bring none of its bytes.
func (s *Server) asks(who identify, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a := s.admit(w, r, who); a != nil {
			a.cancels = r.Method == http.MethodDelete
			s.speak(w, r, a, answer)
		}
	}
}

// receive is for requests that bring bytes.
func (s *Server) receive(who identify, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a := s.admit(w, r, who)
		if a == nil {
			return
		}
		p := payer(r, a.who)
		if err := s.limits.running.Take(p, 1); err != nil {
			refusal.Answer(w, r, err, s.log)
			return
		}
		defer s.limits.running.Give(p, 1)
		s.speak(w, r, a, answer)
	}
}

// speak lets tusd answer, and says in our way what it refuses.
func (s *Server) speak(w http.ResponseWriter, r *http.Request, a *asking, answer http.HandlerFunc) {
	r = r.Clone(limit.PaidBy(context.WithValue(r.Context(), askingKey{}, a), payer(r, a.who)))
	r.Header.Del("X-HTTP-Method-Override") // what is asked was decided by the method already
	r.URL.Path = strings.TrimPrefix(r.URL.Path, prefix)
	held := &heldAnswer{ResponseWriter: w}
	s.tus.Middleware(answer).ServeHTTP(held, r)
	if held.status < http.StatusBadRequest {
		return
	}
	err := a.err
	if err == nil {
		err = refusalOf(held.status, held.text.String())
	}
	w.Header().Del("Content-Length") // of the other text
	refusal.Answer(w, r, err, s.log)
}

// heldAnswer passes an answer on, but one that refuses.
type heldAnswer struct {
	http.ResponseWriter
	status int
	text   bytes.Buffer // of one that refuses
}

func (h *heldAnswer) WriteHeader(status int) {
	if h.status != 0 {
		return
	}
	if h.status = status; status >= http.StatusBadRequest {
		return
	}
	// Whoever is behind a proxy knows better under which name this server is reached.
	if location, err := url.Parse(h.Header().Get("Location")); err == nil && location.Path != "" {
		h.Header().Set("Location", location.Path)
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *heldAnswer) Write(b []byte) (int, error) {
	if h.status >= http.StatusBadRequest {
		return h.text.Write(b)
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap lets tusd set deadlines.
func (h *heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// refusalOf is what tusd refuses by itself. Its text begins with a code, and what follows is for
// developers of clients; of faults of the server it may say more than is for them.
func refusalOf(status int, text string) error {
	_, text, _ = strings.Cut(strings.TrimSpace(text), ": ")
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		return errNoFile
	case status == http.StatusRequestEntityTooLarge:
		return refusal.New(refusal.TooLarge, "The file is larger than it may be, or than its upload began.")
	case status == http.StatusLocked || status >= http.StatusInternalServerError:
		return refusal.After(retryUpload, refusal.Busy, "The upload was interrupted. Ask how far it has come, and go on.").WithStatus(max(status, http.StatusLocked))
	}
	return refusal.New(refusal.BadRequest, "The upload was refused: %s.", text).WithStatus(status)
}
