// Package api is what other programs use over HTTP: WHIP and WHEP, through which OBS,
// GStreamer, browsers and benchmarks publish and watch, and for operators health, metrics
// and profiles. REST and webhooks will be here.
package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"carillon/auth"
	"carillon/limit"
	"carillon/refusal"
	"carillon/wire"
)

// Joiner takes one PeerConnection's offer into a room, and bounds how many it takes of one
// user and address. The context ends with the request, and says who pays; what is joined
// lives on until Close.
type Joiner interface {
	Publish(ctx context.Context, who auth.Identity, room, offer string) (Session, string, error)
	Watch(ctx context.Context, who auth.Identity, room, offer string) (Session, string, error)
}

// Session is a PeerConnection that came through WHIP or WHEP.
type Session interface {
	Offer(ctx context.Context, offer string) (answer string, err error) // again: an ICE restart
	Done() <-chan struct{}                                              // closed by Close, and when its media is lost for good
	Close() error
}

// WHIP serves WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) under /whip/ROOM and /whep/ROOM.
// Who asks is found out by the token of each request, what they may do is decided by the
// Joiner. A session's own URL holds an unguessable id, and obeys only the user who made it.
type WHIP struct {
	// Revoked says which tokens are void; nil: none are. A session that such a token made ends.
	// Set before the first request.
	Revoked auth.Revocations

	// Fixed at construction.
	joiner Joiner
	who    func(*http.Request) (auth.Identity, error)
	ice    func(user string) []wire.ICEServer
	log    *slog.Logger

	mu       sync.Mutex
	sessions map[string]*resource
	watched  bool // endRevoked runs
	closed   bool
	watchers sync.WaitGroup // one per session, and endRevoked; added to under mu while not closed
	closing  chan struct{}  // closed by Close
}

// resource is a session under its URL.
type resource struct {
	path    string        // of its URL, without escapes: a client may write them in its own way
	who     auth.Identity // of the token that made it; no other user may change or end it
	session Session

	mu     sync.Mutex // one negotiation at a time
	offer  string     // the last one, which an ICE restart changes
	answer string
	etag   string
}

// An offer of seven lines with every codec of a browser has 15 kB.
const (
	maxOffer    = 128 << 10
	joinTimeout = 10 * time.Second
)

// NewWHIP serves sessions of the joiner to whom who lets pass, see [Bearer]. They are told the
// relays that ice returns for their user; nil: none.
func NewWHIP(j Joiner, who func(*http.Request) (auth.Identity, error), ice func(user string) []wire.ICEServer, log *slog.Logger) *WHIP {
	if ice == nil {
		ice = func(string) []wire.ICEServer { return nil }
	}
	return &WHIP{joiner: j, who: who, ice: ice, log: log, sessions: map[string]*resource{}, closing: make(chan struct{})}
}

// Handler is to be mounted at /whip/ and /whep/.
func (h *WHIP) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip/{room}", h.create(h.joiner.Publish))
	mux.HandleFunc("POST /whep/{room}", h.create(h.joiner.Watch))
	for _, kind := range []string{"whip", "whep"} {
		mux.HandleFunc("OPTIONS /"+kind+"/{room}", h.options)
		mux.HandleFunc("OPTIONS /"+kind+"/{room}/{session}", h.options)
		mux.HandleFunc("PATCH /"+kind+"/{room}/{session}", h.patch)
		mux.HandleFunc("DELETE /"+kind+"/{room}/{session}", h.remove)
	}
	return mux
}

type join func(ctx context.Context, who auth.Identity, room, offer string) (Session, string, error)

func (h *WHIP) create(join join) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := h.identify(w, r)
		if !ok {
			return
		}
		offer, err := readSDP(w, r, "application/sdp")
		if err != nil {
			refusal.Answer(w, r, err, h.log)
			return
		}
		ctx, cancel := context.WithTimeout(paidBy(r, who), joinTimeout)
		defer cancel()
		session, answer, err := join(ctx, who, r.PathValue("room"), offer)
		if err != nil {
			refusal.Answer(w, r, err, h.log)
			return
		}
		id := rand.Text()
		res := &resource{
			path: r.URL.Path + "/" + id, who: who,
			session: session, offer: offer, answer: answer, etag: rand.Text(),
		}
		if err := h.keep(res); err != nil {
			refusal.Answer(w, r, errors.Join(err, session.Close()), h.log)
			return
		}
		header := w.Header()
		header.Set("Location", r.URL.EscapedPath()+"/"+id)
		header.Set("ETag", `"`+res.etag+`"`)
		header.Set("Content-Type", "application/sdp")
		linkServers(header, h.ice(who.User))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	}
}

// paidBy is the context of a request at the expense of who asks.
func paidBy(r *http.Request, who auth.Identity) context.Context {
	return limit.PaidBy(r.Context(), payer(r, who))
}

func payer(r *http.Request, who auth.Identity) limit.Payer {
	return limit.Payer{User: who.User, Guest: who.Guest, Address: limit.Client(r.RemoteAddr)}
}

// identify answers requests of which nobody knows from whom they are.
func (h *WHIP) identify(w http.ResponseWriter, r *http.Request) (auth.Identity, bool) {
	crossOrigin(w)
	who, err := h.who(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refusal.Answer(w, r, err, h.log)
	}
	return who, err == nil
}

// keep stores the resource until its media is lost, its user signs out everywhere, or someone
// deletes it.
func (h *WHIP) keep(res *resource) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return refusal.After(10*time.Second, refusal.Busy, "The server is shutting down.")
	}
	h.sessions[res.path] = res
	h.watchers.Go(func() {
		<-res.session.Done() // as Close of it makes it
		if h.forget(res.path) != nil {
			_ = res.session.Close()
		}
	})
	if !h.watched && h.Revoked != nil {
		h.watched = true
		h.watchers.Go(h.endRevoked)
	}
	return nil
}

// revokedEvery is how often the tokens of all sessions are looked at, and so how long a session
// goes on after its token was revoked.
const revokedEvery = 2 * time.Second

// endRevoked ends sessions whose tokens are void, as long as there are sessions. While the database
// cannot be asked, they go on.
func (h *WHIP) endRevoked() {
	ticker := time.NewTicker(revokedEvery)
	defer ticker.Stop()
	for {
		open := h.toWatch()
		if len(open) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), revokedEvery)
		revoked, err := h.Revoked(ctx, usersOf(open))
		cancel()
		for _, res := range open {
			if err == nil && revoked[res.who.User].Voids(res.who) {
				_ = res.session.Close() // its watcher forgets it
			}
		}
		select {
		case <-ticker.C:
		case <-h.closing:
			return
		}
	}
}

func usersOf(open []*resource) []string {
	users := map[string]bool{}
	for _, res := range open {
		users[res.who.User] = true
	}
	return slices.Collect(maps.Keys(users))
}

// toWatch returns the sessions there are. When there are none, nobody watches them any more.
func (h *WHIP) toWatch() []*resource {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watched = len(h.sessions) > 0
	return slices.Collect(maps.Values(h.sessions))
}

func (h *WHIP) forget(path string) *resource {
	h.mu.Lock()
	defer h.mu.Unlock()
	res := h.sessions[path]
	delete(h.sessions, path)
	return res
}

// find returns the session of a URL if it is the user's, else nil.
func (h *WHIP) find(path, user string) *resource {
	h.mu.Lock()
	defer h.mu.Unlock()
	if res := h.sessions[path]; res != nil && res.who.User == user {
		return res
	}
	return nil
}

func (h *WHIP) remove(w http.ResponseWriter, r *http.Request) {
	who, ok := h.identify(w, r)
	if !ok {
		return
	}
	res := h.find(r.URL.Path, who.User)
	if res == nil || h.forget(res.path) == nil {
		refusal.Answer(w, r, errNoSession, h.log)
		return
	}
	if err := res.session.Close(); err != nil {
		h.log.Warn("close whip session", "err", err)
	}
	w.WriteHeader(http.StatusOK)
}

// patch takes trickled candidates, which we do not need since ours are in the answer,
// or an ICE restart.
// https://www.rfc-editor.org/rfc/rfc9725#section-4.3
func (h *WHIP) patch(w http.ResponseWriter, r *http.Request) {
	who, ok := h.identify(w, r)
	if !ok {
		return
	}
	res := h.find(r.URL.Path, who.User)
	if res == nil {
		refusal.Answer(w, r, errNoSession, h.log)
		return
	}
	fragment, err := readSDP(w, r, "application/trickle-ice-sdpfrag")
	if err != nil {
		refusal.Answer(w, r, err, h.log)
		return
	}
	res.mu.Lock()
	defer res.mu.Unlock()
	ufrag, password := attribute(fragment, "ice-ufrag"), attribute(fragment, "ice-pwd")
	if ufrag == "" || ufrag == attribute(res.offer, "ice-ufrag") {
		// "If the client attempts to do trickle ICE […] with an If-Match that does not match: 412"
		if match := r.Header.Get("If-Match"); match != "" && match != "*" && match != `"`+res.etag+`"` {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if password == "" {
		refusal.Answer(w, r, refusal.New(refusal.BadSDP, "An ICE restart needs both ice-ufrag and ice-pwd."), h.log)
		return
	}
	ctx, cancel := context.WithTimeout(paidBy(r, who), joinTimeout)
	defer cancel()
	offer := withAttribute(withAttribute(res.offer, "ice-ufrag", ufrag), "ice-pwd", password)
	answer, err := res.session.Offer(ctx, offer)
	if err != nil {
		refusal.Answer(w, r, err, h.log)
		return
	}
	res.offer, res.answer, res.etag = offer, answer, rand.Text()
	w.Header().Set("ETag", `"`+res.etag+`"`)
	w.Header().Set("Content-Type", "application/trickle-ice-sdpfrag")
	_, _ = io.WriteString(w, fragmentOf(answer))
}

// options answers who has shown no token, so it names no relay with a credential.
func (h *WHIP) options(w http.ResponseWriter, _ *http.Request) {
	crossOrigin(w)
	header := w.Header()
	header.Set("Accept-Post", "application/sdp")
	header.Set("Accept-Patch", "application/trickle-ice-sdpfrag")
	header.Set("Access-Control-Allow-Methods", "POST, PATCH, DELETE, OPTIONS")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
	w.WriteHeader(http.StatusNoContent)
}

// Close ends all sessions, waits for them and refuses new ones. It may be called twice.
func (h *WHIP) Close() error {
	h.mu.Lock()
	if !h.closed {
		close(h.closing)
	}
	h.closed = true
	all := h.sessions
	h.sessions = map[string]*resource{}
	h.mu.Unlock()
	var failed []error
	for _, res := range all {
		failed = append(failed, res.session.Close())
	}
	h.watchers.Wait()
	return errors.Join(failed...)
}

var errNoSession = refusal.New(refusal.NotFound, "There is no such session.")

// crossOrigin lets any page use the endpoints: what counts is the token, and browsers
// add none by themselves.
func crossOrigin(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "Location, Link, ETag, Retry-After")
}

// linkServers adds a Link header for each URL.
// https://www.rfc-editor.org/rfc/rfc9725#section-4.6
func linkServers(header http.Header, servers []wire.ICEServer) {
	for _, s := range servers {
		for _, u := range s.URLs {
			link := fmt.Sprintf(`<%s>; rel="ice-server"`, u)
			if s.Username != "" {
				link += fmt.Sprintf(`; username=%q; credential=%q; credential-type="password"`, s.Username, s.Credential)
			}
			header.Add("Link", link)
		}
	}
}
