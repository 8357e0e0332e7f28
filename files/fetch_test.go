package files_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"carillon/chat"
	"carillon/files"
	"carillon/limit/limittest"
	"carillon/refusal"
)

// Who may have a file is asked each time it is fetched: its owner, and members of a conversation who
// see a message that has it. When they are removed, or the message is, the same address is good for
// nothing at once.
func TestOnlyWhoSeesAMessageHasItsFile(t *testing.T) {
	w := newWorld(t, files.Config{})
	content := random(5000)
	f := w.upload("alice", content, nil)
	address := w.url("bob", f.ID).URL
	wants := func(what, address string, want int) {
		t.Helper()
		if a := w.get(address); a.status != want {
			t.Errorf("%s: got %d %s, want %d", what, a.status, a.code, want)
		}
	}
	wants("before it was sent", address, http.StatusNotFound)
	m := w.send("alice", "bob", f.ID)
	wants("a member", address, http.StatusOK)
	wants("its owner", w.url("alice", f.ID).URL, http.StatusOK)
	wants("a stranger", w.url("carol", f.ID).URL, http.StatusNotFound)

	from := func(state chat.MemberState, seq int64) {
		w.write(func(tx chat.Tx) error {
			p, _, err := tx.Participation(m.Conversation, "bob")
			if err != nil {
				return err
			}
			p.State, p.FromSeq = state, seq
			_, err = tx.PutParticipations(m.Conversation, []chat.Participation{p})
			return err
		})
	}
	from(chat.Joined, m.Seq+1)
	wants("who joined after the message", address, http.StatusNotFound)
	from(chat.Invited, 0)
	wants("who is only invited", address, http.StatusNotFound)
	from(chat.Gone, 0)
	wants("who was removed", address, http.StatusNotFound)
	from(chat.Joined, 0)
	wants("a member again", address, http.StatusOK)
	if seen, err := w.chat.Within([]string{"another"}).SeesFiles(t.Context(), "bob", []string{f.ID}); err != nil || len(seen) != 0 {
		t.Errorf("a token for another conversation: sees %v, %v", seen, err)
	}
	w.write(func(tx chat.Tx) error { return tx.RemoveFileUses(m.Conversation, m.Seq, m.Seq) })
	wants("when the message was recalled", address, http.StatusNotFound)
	if err := w.server.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, found := w.find(f.ID); found {
		t.Error("a file that no message has any more is kept")
	}
}

// A file is named by who has uploaded it, and nobody else.
func TestAFileOfOthersCannotBeAttached(t *testing.T) {
	w := newWorld(t, files.Config{})
	f := w.upload("alice", random(10), map[string]string{"waveform": "\x00\xff"})
	unfinished := strings.TrimPrefix(w.begin("alice", 10, nil).header.Get("Location"), "/files/")
	w.write(func(tx chat.Tx) error {
		for _, c := range []struct{ user, id string }{{"bob", f.ID}, {"alice", unfinished}, {"alice", "nothing"}} {
			if _, err := chat.Attach(tx, c.user, c.id); !refusal.Is(err, refusal.NotFound) {
				t.Errorf("%s with %s: got %v", c.user, c.id, err)
			}
		}
		if d, err := chat.Attach(tx, "alice", f.ID); err != nil || d.File != f.ID || d.Bytes != 10 {
			t.Errorf("its owner: got %+v, %v", d, err)
		}
		return nil
	})
}

// An address is good for one file, one user, one of both sizes, and until its time. Whoever changes
// anything of it learns nothing, and costs the database nothing.
func TestAWrongAddressCostsNothing(t *testing.T) {
	w := newWorld(t, files.Config{})
	f, other := w.upload("alice", random(10), nil), w.upload("alice", random(10), nil)
	w.send("alice", "bob", f.ID)
	good := w.url("bob", f.ID).URL
	if a := w.get(good); a.status != http.StatusOK {
		t.Fatalf("the address as it is: got %d", a.status)
	}
	changed := func(key, value string) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set(key, value)
		u.RawQuery = q.Encode()
		return u.String()
	}
	w.reads.Store(0)
	for name, address := range map[string]string{
		"another file":  strings.Replace(good, f.ID, other.ID, 1),
		"another user":  changed("user", "alice"),
		"a later time":  changed("until", "99999999999"),
		"no time":       changed("until", ""),
		"the thumbnail": changed("thumbnail", "1"),
		"no signature":  changed("sig", ""),
		"half of it":    changed("sig", "AAAA"),
		"over":          w.server.AddressOf(f.ID, "bob", time.Now().Add(-time.Second), false),
		"no file":       w.server.AddressOf("../../x", "bob", time.Now().Add(time.Hour), false),
		"nothing":       "/files/" + f.ID,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if method == "HEAD" && !strings.Contains(address, "sig") {
				continue // asks how far an upload has come
			}
			a := w.ask(method, address, "", nil, nil)
			if a.status != http.StatusForbidden && a.status != http.StatusNotFound {
				t.Errorf("%s %s: got %d", method, name, a.status)
			}
		}
	}
	if n := w.reads.Load(); n != 0 {
		t.Errorf("%d transactions were made for wrong addresses", n)
	}
}

// A browser may ask for parts, and for what it has already.
func TestAFileIsServedInParts(t *testing.T) {
	w := newWorld(t, files.Config{})
	content := random(100_000)
	f := w.upload("alice", content, map[string]string{"name": "мой план.bin"})
	address := w.url("alice", f.ID).URL
	whole := w.get(address)
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
		"Cache-Control": "private, max-age=300", "Accept-Ranges": "bytes", "Content-Length": "100000",
		"Content-Type": "application/octet-stream", "Cross-Origin-Resource-Policy": "cross-origin",
		"Content-Disposition": "attachment; filename*=utf-8''%D0%BC%D0%BE%D0%B9%20%D0%BF%D0%BB%D0%B0%D0%BD.bin",
	} {
		if got := whole.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	tag := whole.header.Get("ETag")
	part := w.ask("GET", address, "", nil, map[string]string{"Range": "bytes=10-19", "If-Range": tag})
	if part.status != http.StatusPartialContent || !bytes.Equal(part.body, content[10:20]) {
		t.Errorf("ten bytes: got %d, %d bytes", part.status, len(part.body))
	}
	last := w.ask("GET", address, "", nil, map[string]string{"Range": "bytes=-5"})
	if last.status != http.StatusPartialContent || !bytes.Equal(last.body, content[len(content)-5:]) {
		t.Errorf("the last five: got %d, %d bytes", last.status, len(last.body))
	}
	if a := w.ask("GET", address, "", nil, map[string]string{"Range": "bytes=10-19", "If-Range": `"another"`}); a.status != http.StatusOK || len(a.body) != len(content) {
		t.Errorf("a part of another version: got %d, %d bytes, want all", a.status, len(a.body))
	}
	if a := w.ask("GET", address, "", nil, map[string]string{"Range": "bytes=200000-"}); a.status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("beyond the end: got %d", a.status)
	}
	if a := w.ask("GET", address, "", nil, map[string]string{"Range": "bytes=" + strings.Repeat("0-1,", 1000) + "5-6"}); a.status != http.StatusOK || len(a.body) != len(content) {
		t.Errorf("a thousand parts: got %d, %d bytes, want all at once", a.status, len(a.body))
	}
	if a := w.ask("GET", address, "", nil, map[string]string{"If-None-Match": tag}); a.status != http.StatusNotModified || len(a.body) != 0 {
		t.Errorf("what the browser has: got %d", a.status)
	}
	if a := w.ask("HEAD", address, "", nil, nil); a.status != http.StatusOK || a.header.Get("Content-Length") != "100000" || len(a.body) != 0 {
		t.Errorf("HEAD: got %d, %s bytes", a.status, a.header.Get("Content-Length"))
	}
	if again := w.url("alice", f.ID).URL; again != address {
		t.Errorf("the address is %s the first time and %s the second: nothing would be cached", address, again)
	}
}

// Nothing that people upload runs as a page of ours, whatever they call it.
func TestOnlySafeTypesAreShown(t *testing.T) {
	w := newWorld(t, files.Config{})
	for _, test := range []struct {
		name, content     string
		found, served, as string
	}{
		{"x.png", "<!DOCTYPE html><script>alert(1)</script>", "text/html", "application/octet-stream", "attachment"},
		{"x.jpg", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "image/svg+xml", "application/octet-stream", "attachment"},
		{"x.gif", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>`, "application/xhtml+xml", "application/octet-stream", "attachment"},
		{"x.png", "%PDF-1.7\n", "application/pdf", "application/pdf", "attachment"},
		{"x.html", "just words", "text/plain", "text/plain", "attachment"},
		{"x.html", "\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "video/webm", "video/webm", "inline"},
		{"x.html", "OggS\x00\x02" + strings.Repeat("\x00", 22) + "OpusHead", "audio/ogg", "audio/ogg", "inline"},
		{"x.gif", "GIF89a<script>alert(1)</script>", "application/octet-stream", "application/octet-stream", "attachment"}, // broken
	} {
		f := w.upload("alice", []byte(test.content), map[string]string{"name": test.name, "filetype": "image/png"})
		if f.Type != test.found {
			t.Errorf("%.20q: found %s, want %s", test.content, f.Type, test.found)
		}
		a := w.get(w.url("alice", f.ID).URL)
		if got := a.header.Get("Content-Type"); got != test.served {
			t.Errorf("%.20q: served as %s, want %s", test.content, got, test.served)
		}
		if got := a.header.Get("Content-Disposition"); got != test.as+"; filename="+test.name {
			t.Errorf("%.20q: disposition %s, want %s", test.content, got, test.as)
		}
	}
}

func TestFetchesAreBounded(t *testing.T) {
	w := newWorld(t, files.Config{Rates: files.Rates{UserFetches: 1}})
	f := w.upload("alice", random(10), nil)
	address := w.url("alice", f.ID).URL
	until(t, "too many are refused", func() bool { return w.get(address).code == refusal.RateLimited })
	if n := limittest.Refused(t, w.reg)["files.rates.user_fetches"]; n == 0 {
		t.Error("the refusal is not counted")
	}
}

// A voice note says how long and loud it is; what cannot be is not believed.
func TestWhatAnOwnerSaysOfSoundIsMarked(t *testing.T) {
	w := newWorld(t, files.Config{})
	webm := []byte("\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm")
	f := w.upload("alice", webm, map[string]string{"duration_ms": "2500", "waveform": strings.Repeat("\x07", 100), "width": "99999999"})
	if f.DurationMS != 2500 || !f.Claimed || len(f.Waveform) != files.MaxWaveform || f.Width != 0 {
		t.Errorf("got %+v", f)
	}
	f = w.upload("alice", []byte("words"), map[string]string{"duration_ms": "2500", "waveform": "x", "width": "10", "height": "10"})
	if f.DurationMS != 0 || f.Claimed || len(f.Waveform) != 0 || f.Width != 0 {
		t.Errorf("of words: got %+v", f)
	}
}
