package preview

import (
	"context"
	"errors"
	"image/color"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
)

// set is what was put under messages.
type set struct {
	seq      int64
	revision int
	p        chat.Preview
}

func TestAMessageGetsThePreviewOfItsFirstLink(t *testing.T) {
	put := make(chan set, 10)
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) { page200(w, titled(r.URL.Path)) }, func(_ *Config, d *Deps) {
		d.Set = func(_ context.Context, conversation string, seq int64, revision int, p chat.Preview) error {
			put <- set{seq, revision, p}
			return nil
		}
	})
	sent := func(seq int64, kind chat.Kind, text string) {
		w.Sent(limit.Payer{User: "alice"}, chat.Message{Conversation: "c", Seq: seq, Revision: 3, Kind: kind, Text: text})
	}
	sent(1, chat.Text, "nothing to see")
	sent(2, chat.System, w.url("shop.example", "/system"))
	sent(3, chat.Text, "http://127.1/ "+w.url("shop.example", "/second"))
	sent(4, chat.Text, "look: "+w.url("shop.example", "/first#part")+", not "+w.url("shop.example", "/second"))
	got := <-put
	if got.seq != 4 || got.revision != 3 || got.p.Title != "/first" || got.p.URL != w.url("shop.example", "/first#part") {
		t.Errorf("got %+v", got)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(put) > 0 {
		t.Errorf("got %+v, too", <-put)
	}
}

// What was found, or that nothing was, is not asked for again, and who asks meanwhile waits for it.
func TestALinkIsAskedForOnce(t *testing.T) {
	var asked atomic.Int32
	begun, goOn := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
			return
		}
		close(begun)
		<-goOn
		page200(w, titled("once"))
	}, nil)
	var all sync.WaitGroup
	for _, user := range []string{"alice", "bob", "carol"} {
		all.Go(func() {
			p, err := w.Get(limit.Payer{User: user}, w.url("shop.example", "/#"+user))
			if err != nil || p == nil || p.Title != "once" || !strings.HasSuffix(p.URL, "#"+user) {
				t.Errorf("%s got %+v, %v", user, p, err)
			}
		})
	}
	<-begun
	close(goOn)
	all.Wait()
	w.get(w.url("shop.example", "/none"))
	w.get(w.url("shop.example", "/none"))
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
}

// One account that sends three hundred links which all hang holds up nobody else.
func TestAFloodOfOneAccountHoldsUpNobody(t *testing.T) {
	var hanging atomic.Int32
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/honest" {
			page200(w, titled("honest"))
			return
		}
		hanging.Add(1)
		<-r.Context().Done()
	}, nil)
	loud := limit.Payer{User: "mallory"}
	for i := range 300 {
		w.Sent(loud, chat.Message{Conversation: "c", Seq: int64(i), Kind: chat.Text, Text: w.url(strings.Repeat("a", i/10+1)+".example", strings.Repeat("/x", i%10+1))})
	}
	if title := w.titleOf(w.url("shop.example", "/honest")); title != "honest" {
		t.Errorf("an honest user got %q", title)
	}
	if _, err := w.Get(loud, w.url("shop.example", "/honest")); !refusal.Is(err, refusal.RateLimited) {
		t.Errorf("the loud one is told %v, want rate_limited", err)
	}
	if n := w.quota.Taken(); n > Defaults().UserAtOnce {
		t.Errorf("%d of them are under way, want %d", n, Defaults().UserAtOnce)
	}
	var limited int64
	for _, c := range w.Counts() {
		limited += c.Value()
	}
	if limited < 290 {
		t.Errorf("%d refusals were counted", limited)
	}
}

func TestRatesOfPreviews(t *testing.T) {
	now := time.Now()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) { page200(w, titled("x")) }, func(c *Config, d *Deps) {
		c.Rates.User, c.Rates.OneGuest = 3, 1
		d.Now = func() time.Time { return now }
	})
	for i, row := range []struct {
		payer limit.Payer
		ok    bool
		later time.Duration
	}{
		{limit.Payer{User: "alice"}, true, 0}, {limit.Payer{User: "alice"}, true, 0}, {limit.Payer{User: "alice"}, true, 0}, {limit.Payer{User: "alice"}, false, 0},
		{limit.Payer{User: "bob"}, true, 0}, {limit.Payer{User: "g", Guest: true}, true, 0}, {limit.Payer{User: "g", Guest: true}, false, 0},
		{limit.Payer{User: "alice"}, true, 20 * time.Second},
	} {
		now = now.Add(row.later)
		if _, err := w.Get(row.payer, w.url("shop.example", "/")); (err == nil) != row.ok || err != nil && !refusal.Is(err, refusal.RateLimited) {
			t.Errorf("request %d: %v", i, err)
		}
	}
}

func TestWhatCannotBeAskedForIsRefused(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, link := range []string{"", "shop.example", "javascript:alert(1)", "http://0x7f.1/", "http://user@shop.example/"} {
		if _, err := w.Get(limit.Payer{}, link); !refusal.Is(err, refusal.BadRequest) {
			t.Errorf("%q: %v, want bad_request", link, err)
		}
	}
	// Who asks learns nothing of what is inside: that is as if there were nothing.
	for _, link := range []string{"http://10.0.0.1/", "http://127.0.0.1:1/", "http://169.254.169.254/", "http://localhost.localdomain/"} {
		if p, err := w.Get(limit.Payer{}, link); p != nil || err != nil {
			t.Errorf("%q: got %+v, %v, want nothing", link, p, err)
		}
	}
	off := newWorld(t, nil, func(c *Config, _ *Deps) { c.Disabled = true })
	if _, err := off.Get(limit.Payer{}, "http://shop.example/"); !refusal.Is(err, refusal.NotAllowed) {
		t.Errorf("disabled: %v, want not_allowed", err)
	}
	off.Sent(limit.Payer{}, chat.Message{Kind: chat.Text, Text: "http://shop.example/"})
	if len(off.asked) > 0 {
		t.Errorf("disabled, it asked for %q", off.asked)
	}
}

// A server that stops waits for nobody whom it asked, and keeps nothing of that.
func TestClosingEndsWhatIsUnderWay(t *testing.T) {
	asked := make(chan struct{})
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}, nil)
	w.Sent(limit.Payer{}, chat.Message{Kind: chat.Text, Text: w.url("shop.example", "/")})
	<-asked
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if _, err := w.Get(limit.Payer{}, w.url("shop.example", "/")); !refusal.Is(err, refusal.Busy) {
		t.Errorf("after the end: %v, want busy", err)
	}
	if len(w.kept.links) > 0 {
		t.Errorf("kept %+v", w.kept.links)
	}
}

func TestPicturesAreServedToWhoKnowsTheirKeys(t *testing.T) {
	w := newWorld(t, func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "image/png")
		_, _ = out.Write(plain(t, 64, 64, color.White))
	}, func(c *Config, _ *Deps) { c.Rates.Pictures = 40 })
	key := w.get(w.url("shop.example", "/a.png")).Picture.Key
	ask := func(method, path, from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = from
		answer := httptest.NewRecorder()
		w.Handler().ServeHTTP(answer, r)
		return answer
	}
	got := ask("GET", Path+key+".jpg", "8.8.8.8:1")
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "public, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "cross-origin", "Referrer-Policy": "no-referrer",
	} {
		if got.Header().Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header().Get(name), want)
		}
	}
	if got.Code != 200 || !strings.HasPrefix(got.Body.String(), "\xff\xd8\xff") {
		t.Errorf("got %d %.10q", got.Code, got.Body)
	}
	if head := ask("HEAD", Path+key+".jpg", "8.8.8.8:1"); head.Code != 200 || head.Body.Len() > 0 {
		t.Errorf("HEAD: got %d", head.Code)
	}
	if post := ask("POST", Path+key+".jpg", "8.8.8.8:1"); post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", post.Code)
	}
	for _, path := range []string{"", key, key[1:] + ".jpg", strings.ToLower(key) + ".jpg", strings.Repeat("A", 26) + ".jpg", "../" + key + ".jpg", key + ".jpg/", strings.Repeat("A", 9999) + ".jpg"} {
		if answer := ask("GET", Path+path, "8.8.8.8:1"); answer.Code != http.StatusNotFound {
			t.Errorf("%.40q: got %d", path, answer.Code)
		}
	}
	for range 40 {
		ask("GET", Path+strings.Repeat("B", 26)+".jpg", "8.8.8.8:1")
	}
	if answer := ask("GET", Path+key+".jpg", "8.8.8.8:1"); answer.Code != http.StatusTooManyRequests {
		t.Errorf("who guesses keys: got %d, want 429", answer.Code)
	}
	if answer := ask("GET", Path+key+".jpg", "9.9.9.9:1"); answer.Code != 200 {
		t.Errorf("another address: got %d", answer.Code)
	}
}

func TestMistakesInTheConfigurationAreFound(t *testing.T) {
	for _, c := range []Config{
		{AllowAddresses: []string{"10.0.0.0/33"}}, {AllowAddresses: []string{"10.0.0.1/8"}}, {AllowAddresses: []string{"intranet"}}, {Deny: []string{"https://evil.example"}},
		{Deny: []string{""}}, {Ports: []int{70000}}, {Ports: []int{-1}}, {TimeoutSeconds: -1}, {CacheHours: 25}, {Rates: Rates{User: -1}},
	} {
		if c.Validate() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
}
