package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carillon/auth"
	"carillon/refusal"
	"carillon/wire"
)

// joiner remembers what it was asked.
type joiner struct {
	mu     sync.Mutex
	last   *session
	refuse error
}

// session is what a joiner has joined.
type session struct {
	kind, room, offer string
	done              chan struct{}
	once              sync.Once
	again             string
}

func (j *joiner) join(kind, name, offer string) (Session, string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refuse != nil {
		return nil, "", j.refuse
	}
	j.last = &session{kind: kind, room: name, offer: offer, done: make(chan struct{})}
	return j.last, answerText, nil
}

func (j *joiner) Publish(_ context.Context, _ auth.Identity, name, offer string) (Session, string, error) {
	return j.join("publish", name, offer)
}

func (j *joiner) Watch(_ context.Context, _ auth.Identity, name, offer string) (Session, string, error) {
	return j.join("watch", name, offer)
}

func (s *session) Offer(_ context.Context, offer string) (string, error) {
	s.again = offer
	return strings.ReplaceAll(answerText, "old", "new"), nil
}
func (s *session) Done() <-chan struct{} { return s.done }
func (s *session) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

const (
	offerText  = "v=0\r\na=ice-ufrag:mine\r\na=ice-pwd:secret\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:mine\r\na=ice-pwd:secret\r\n"
	answerText = "v=0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:old\r\na=ice-pwd:oldpassword\r\na=candidate:1 1 udp 1 127.0.0.1 7900 typ host\r\na=mid:0\r\n"
)

type fixture struct {
	*testing.T
	joiner *joiner
	whip   *WHIP
	url    string
}

func alice(*http.Request) (auth.Identity, error) { return auth.Identity{User: "alice"}, nil }

func relays(user string) []wire.ICEServer {
	return []wire.ICEServer{{URLs: []string{"turn:relay:3478"}, Username: user, Credential: "c"}}
}

func start(t *testing.T) *fixture {
	j := &joiner{}
	w := NewWHIP(j, alice, relays, slog.New(slog.DiscardHandler))
	s := httptest.NewServer(w.Handler())
	t.Cleanup(s.Close)
	t.Cleanup(func() { _ = w.Close() })
	return &fixture{t, j, w, s.URL}
}

func (f *fixture) do(method, path, kind, body string, header ...string) (*http.Response, string) {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.Fatal(err)
	}
	return res, string(b)
}

func TestWHIPFromOfferToDelete(t *testing.T) {
	f := start(t)
	for kind, path := range map[string]string{"publish": "/whip/stage", "watch": "/whep/stage"} {
		res, body := f.do("POST", path, "application/sdp", offerText)
		if res.StatusCode != 201 || body != answerText || res.Header.Get("Content-Type") != "application/sdp" {
			t.Fatalf("%s: %s\n%s", path, res.Status, body)
		}
		if f.joiner.last.kind != kind || f.joiner.last.room != "stage" || f.joiner.last.offer != offerText {
			t.Errorf("joined as %+v", f.joiner.last)
		}
		if link := res.Header.Get("Link"); link != `<turn:relay:3478>; rel="ice-server"; username="alice"; credential="c"; credential-type="password"` {
			t.Errorf("Link %s", link)
		}
		location := res.Header.Get("Location")
		if !strings.HasPrefix(location, path+"/") || len(location) < len(path)+20 {
			t.Fatalf("Location %q", location)
		}

		if res, _ = f.do("DELETE", location, "", ""); res.StatusCode != 200 {
			t.Errorf("delete: %s", res.Status)
		}
		<-f.joiner.last.done
		if res, _ = f.do("DELETE", location, "", ""); res.StatusCode != 404 {
			t.Errorf("delete again: %s", res.Status)
		}
	}
}

// What a room is called needs no care of the client: the URL of the session works as it was given.
func TestTheLocationOfASessionFitsWhateverTheRoomIsCalled(t *testing.T) {
	f := start(t)
	const fragment = "application/trickle-ice-sdpfrag"
	for _, room := range []string{"stage", "school/class 5", "a%2Fb", "50%", "who?#here", "день", `"<>\`, "a;b,c&d=e+f"} {
		for _, kind := range []string{"whip", "whep"} {
			res, _ := f.do("POST", "/"+kind+"/"+url.PathEscape(room), "application/sdp", offerText)
			if res.StatusCode != 201 || f.joiner.last.room != room {
				t.Fatalf("%s %q: %s, joined %+v", kind, room, res.Status, f.joiner.last)
			}
			session, err := res.Location() // as a client resolves it
			if err != nil {
				t.Fatal(err)
			}
			location := session.EscapedPath()
			if res, _ = f.do("PATCH", location, fragment, "a=ice-ufrag:mine\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n"); res.StatusCode != 204 {
				t.Errorf("%s %q: patch of %s: %s", kind, room, location, res.Status)
			}
			if res, _ = f.do("DELETE", location, "", ""); res.StatusCode != 200 {
				t.Errorf("%s %q: delete of %s: %s", kind, room, location, res.Status)
			}
		}
	}
}

func TestWHIPRestartsICE(t *testing.T) {
	f := start(t)
	res, _ := f.do("POST", "/whip/stage", "application/sdp", offerText)
	location, etag := res.Header.Get("Location"), res.Header.Get("ETag")
	const fragment = "application/trickle-ice-sdpfrag"

	if res, _ = f.do("PATCH", location, fragment, "a=ice-ufrag:mine\r\na=ice-pwd:secret\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\n", "If-Match", etag); res.StatusCode != 204 {
		t.Errorf("trickle: %s", res.Status)
	}
	if res, _ = f.do("PATCH", location, fragment, "a=end-of-candidates\r\n", "If-Match", `"another"`); res.StatusCode != 412 {
		t.Errorf("trickle for another answer: %s", res.Status)
	}
	res, body := f.do("PATCH", location, fragment, "a=ice-ufrag:fresh\r\na=ice-pwd:fresher\r\n", "If-Match", "*")
	if res.StatusCode != 200 || res.Header.Get("ETag") == etag || body != "a=ice-lite\r\na=ice-ufrag:new\r\na=ice-pwd:newpassword\r\na=candidate:1 1 udp 1 127.0.0.1 7900 typ host\r\n" {
		t.Errorf("restart: %s %s\n%s", res.Status, res.Header.Get("ETag"), body)
	}
	if again := f.joiner.last.again; strings.Contains(again, "mine") || strings.Count(again, "a=ice-ufrag:fresh\r\n") != 2 || !strings.Contains(again, "m=audio") {
		t.Errorf("the SFU was offered\n%s", again)
	}
	if res, _ = f.do("PATCH", location, fragment, "a=ice-ufrag:half\r\n"); res.StatusCode != 400 {
		t.Errorf("half a restart: %s", res.Status)
	}
	if res, _ = f.do("PATCH", "/whip/stage/nobody", fragment, ""); res.StatusCode != 404 {
		t.Errorf("patch of nothing: %s", res.Status)
	}
}

func TestWHIPRefusesWithATypedProblem(t *testing.T) {
	f := start(t)
	if res, _ := f.do("POST", "/whip/stage", "text/plain", offerText); res.StatusCode != 415 {
		t.Errorf("another type: %s", res.Status)
	}
	if res, _ := f.do("POST", "/whip/stage", "application/sdp", strings.Repeat("x", maxOffer+1)); res.StatusCode != 413 {
		t.Errorf("too large: %s", res.Status)
	}
	for err, want := range map[error]int{
		refusal.New(refusal.BadSDP, "That is no offer."): 400,
		refusal.New(refusal.NotAllowed, "Not you."):      403,
		refusal.After(5e9, refusal.Busy, "Come back."):   503,
		errors.New("a wire came loose in 10.0.0.1:7900"): 500,
	} {
		f.joiner.refuse = err
		res, body := f.do("POST", "/whep/stage", "application/sdp; charset=utf-8", offerText)
		if res.StatusCode != want || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %s", err, res.Status)
		}
		if want == 500 && strings.Contains(body, "10.0.0.1") {
			t.Errorf("the problem tells what is inside: %s", body)
		}
		if want == 503 && res.Header.Get("Retry-After") != "5" {
			t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
		}
	}
}

func TestWHIPAnswersBrowsersOfOtherSites(t *testing.T) {
	f := start(t)
	res, _ := f.do("OPTIONS", "/whip/stage", "", "")
	if res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Accept-Post") != "application/sdp" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	if link := res.Header.Get("Link"); link != "" {
		t.Errorf("who shows no token is told %s", link)
	}
}

func TestASessionEndsWhenItsUserSignsOutEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var signedOut atomic.Pointer[time.Time]
		h := NewWHIP(&joiner{}, alice, nil, slog.New(slog.DiscardHandler))
		asked, broken := atomic.Int64{}, atomic.Bool{}
		h.Revoked = func(_ context.Context, users []string) (map[string]auth.Revoked, error) {
			asked.Add(1)
			if broken.Load() {
				return map[string]auth.Revoked{"carol": {Until: time.Now()}}, errors.New("the database does not answer")
			}
			revoked := map[string]auth.Revoked{"bob": {Tokens: []auth.TokenID{"another"}}}
			if at := signedOut.Load(); at != nil {
				revoked["alice"] = auth.Revoked{Until: *at}
			}
			return revoked, nil
		}
		kept := 0
		keep := func(user string) *session {
			kept++
			s := &session{done: make(chan struct{})}
			if err := h.keep(&resource{path: fmt.Sprint(kept), who: auth.Identity{User: user, IssuedAt: time.Now().Add(time.Microsecond)}, session: s}); err != nil {
				t.Fatal(err)
			}
			return s
		}
		old, bob, carol := keep("alice"), keep("bob"), keep("carol")
		time.Sleep(time.Hour)
		signedOut.Store(new(time.Now()))
		time.Sleep(time.Millisecond)
		again := keep("alice") // signed in again
		time.Sleep(time.Hour)
		over := func(s *session) bool {
			select {
			case <-s.done:
				return true
			default:
				return false
			}
		}
		if !over(old) {
			t.Error("a session of a revoked token lives on")
		}
		broken.Store(true)
		before := asked.Load()
		time.Sleep(time.Minute)
		if n := asked.Load() - before; n < 29 || n > 31 {
			t.Errorf("in a minute the database was asked %d times about all sessions, want 30", n)
		}
		if over(again) || over(bob) || over(carol) {
			t.Errorf("ended: the one after (%v), another user's (%v), one of which nothing is known (%v)", over(again), over(bob), over(carol))
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWHIPForgetsSessionsWhoseMediaIsLost(t *testing.T) {
	f := start(t)
	res, _ := f.do("POST", "/whip/stage", "application/sdp", offerText)
	lost := f.joiner.last
	_ = lost.Close()
	for f.whip.find(res.Header.Get("Location"), "alice") != nil {
		runtime.Gosched()
	}
	f.do("POST", "/whip/stage", "application/sdp", offerText)
	if err := f.whip.Close(); err != nil {
		t.Error(err)
	}
	<-f.joiner.last.done
	if res, _ := f.do("POST", "/whip/stage", "application/sdp", offerText); res.StatusCode != 503 {
		t.Errorf("after close: %s", res.Status)
	}
	if err := f.whip.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}
