package files

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestNamesAreGoodToSaveUnder(t *testing.T) {
	for name, want := range map[string]string{
		"plan.pdf":                       "plan.pdf",
		"":                               "file",
		"../../etc/passwd":               "passwd",
		`C:\Users\me\photo.jpg`:          "photo.jpg",
		"/":                              "file",
		"..":                             "file",
		".htaccess":                      "htaccess",
		"cod\u202Efdp.exe":               "codfdp.exe",
		"a\x00b\r\nc.txt":                "ab  c.txt",
		"\u2066x\u2069.txt":              "x.txt",
		"  a \t b.txt ":                  "a   b.txt",
		"\xff\xfe.txt":                   "txt",
		"мой план.txt":                   "мой план.txt",
		"e\u0301t\u00e9.txt":             "été.txt",
		"❤️.png":                         "❤️.png",
		strings.Repeat("é", 200) + ".gz": strings.Repeat("é", 126) + ".gz",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, name := range []string{"a.txt", "../x", "\u202Eexe.doc", strings.Repeat("x", 300) + ".tar.gz", "\xff"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := cleanName(name)
		if got == "" || len(got) > maxName || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\n\r\u202e\u2066") || strings.HasPrefix(got, ".") {
			t.Errorf("%q became %q", name, got)
		}
		if again := cleanName(got); again != got {
			t.Errorf("%q became %q, and that %q", name, got, again)
		}
	})
}

// Whatever somebody makes of an address, it is not good.
func FuzzAddress(f *testing.F) {
	s := signer{[]byte("a secret of the test, 32 bytes long")}
	now := time.Unix(1_700_000_000, 0)
	good := grant{file: "FILE", user: "alice", until: now.Unix() + 10}
	f.Add("FILE", strings.TrimPrefix(s.address(good), prefix+"FILE?"))
	f.Add("FILE", "user=alice&until=1700000010&sig=AAAA")
	f.Fuzz(func(t *testing.T, file, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if g, ok := s.check(file, q, now); ok && g != good {
			t.Errorf("%s is good for %+v", query, g)
		}
	})
}

func TestAnAddressIsGoodUntilItsTime(t *testing.T) {
	s := signer{[]byte("a secret of the test, 32 bytes long")}
	now := time.Unix(1_700_000_000, 0)
	until := untilTime(now, time.Hour)
	if left := until.Sub(now); left < time.Hour || left >= time.Hour+addressStep {
		t.Errorf("it is good for %s, want an hour and less than %s more", left, addressStep)
	}
	for _, thumbnail := range []bool{false, true} {
		g := grant{file: "FILE", user: "alice & bob?", until: until.Unix(), thumbnail: thumbnail}
		u, err := url.Parse(s.address(g))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.check("FILE", u.Query(), until.Add(-time.Second)); !ok || got != g {
			t.Errorf("a second before its end: got %+v, %t", got, ok)
		}
		if _, ok := s.check("FILE", u.Query(), until); ok {
			t.Error("it is good when its time is over")
		}
		if _, ok := (signer{[]byte("another secret of the test, as long")}).check("FILE", u.Query(), now); ok {
			t.Error("it is good with another secret")
		}
	}
}

func TestWhoSendsTooSlowlyIsFound(t *testing.T) {
	now := time.Unix(0, 0)
	slow, fast := pace{since: now}, pace{since: now}
	for i := range 59 {
		now = now.Add(time.Second)
		if slow.tooSlow(1, now) || fast.tooSlow(200, now) {
			t.Fatalf("after %d s: too slow already", i)
		}
	}
	now = now.Add(2 * time.Second)
	if !slow.tooSlow(1, now) {
		t.Error("a byte a second is fast enough")
	}
	if fast.tooSlow(200, now) {
		t.Error("200 bytes a second are too slow")
	}
}
