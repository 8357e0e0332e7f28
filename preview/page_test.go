package preview

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"

	"carillon/chat"
)

func TestTheBestOfAPageIsTaken(t *testing.T) {
	for html, want := range map[string]chat.Preview{
		`<title>plain</title><meta name=description content=d>`:                                                                 {Title: "plain", Description: "d"},
		`<title>plain</title><meta name="twitter:title" content="card"><meta name="twitter:description" content="cd">`:          {Title: "card", Description: "cd"},
		`<meta name="twitter:title" content="card"><meta property="og:title" content="graph"><title>plain</title>`:              {Title: "graph"},
		`<meta property="og:title" content=" "><meta property="og:title" content="second"><meta property="og:title" content=3>`: {Title: "second"},
		`<META PROPERTY=OG:Title CONTENT='Upper'>`:                                                                              {Title: "Upper"},
		`<title>a &amp; b &lt;i&gt; &#x202e;c</title>`:                                                                          {Title: "a & b <i> c"},
		`<title>first</title><title>second</title>`:                                                                             {Title: "first"},
		`<title></title><title>second</title>`:                                                                                  {Title: "second"},
		`<title>never closed`:                                                                                                   {Title: "never closed"},
		`<head><title>head</title></head><meta property="og:title" content="body">`:                                             {Title: "head"},
		`<title>head</title><body><meta property="og:title" content="body">`:                                                    {Title: "head"},
		`<!-- <title>comment</title> --><title>shown</title>`:                                                                   {Title: "shown"},
		`<script>"<title>script</title>"</script><title>shown</title>`:                                                          {Title: "shown"},
		`<style><title>style</title></style><title>shown</title>`:                                                               {Title: "shown"},
		`<textarea><title>area</title></textarea><title>shown</title>`:                                                          {Title: "shown"},
		`<meta property="og:description" content="only a description">`:                                                         {},
		``: {},
		`<meta http-equiv="refresh" content="0; url=http://127.0.0.2/"><title>x</title>`: {Title: "x"},
	} {
		w := newWorld(t, func(out http.ResponseWriter, _ *http.Request) { page200(out, html) }, nil)
		got := chat.Preview{}
		if p := w.get(w.url("shop.example", "/")); p != nil {
			got = chat.Preview{Title: p.Title, Description: p.Description}
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", html, got, want)
		}
	}
}

// What strangers write stays text, on one line, and turns nothing around; what is no picture of the
// web is none.
func TestMarkupInAPageIsText(t *testing.T) {
	const script = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	escaped := strings.NewReplacer("<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(script)
	for _, picture := range []string{"javascript:alert(1)", "data:image/png;base64,AAAA", "file:///etc/passwd", "http://127.0.0.2/x.png", "//user@shop.example/x.png", script} {
		w := newWorld(t, func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.NotFound(out, r)
				return
			}
			page200(out, fmt.Sprintf("<title>%[1]s\u202e\n\u2066\x00</title><meta name=description content=\"%[1]s&#8238;\"><meta property='og:site_name' content='Your Bank'>"+
				"<meta property='og:url' content='https://bank.example/'><base href='http://127.0.0.2/'><meta property='og:image' content=\"%[2]s\">", escaped, strings.ReplaceAll(picture, `"`, "&quot;")))
		}, nil)
		p := w.get(w.url("shop.example", "/"))
		if p == nil || p.Title != script+" \ufffd" || p.Description != script || p.Picture != nil {
			t.Errorf("got %+v, want the text as it is", p)
			continue
		}
		if p.Site != fmt.Sprintf("shop.example:%d", w.port) || p.URL != w.url("shop.example", "/") {
			t.Errorf("got %s of %s: a page does not say itself where it is", p.URL, p.Site)
		}
	}
}

func TestPagesAreReadInTheirCharset(t *testing.T) {
	const title = "Привет"
	cyrillic, err := charmap.Windows1251.NewEncoder().String(title)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("<title>" + title + "</title>")
	if err != nil {
		t.Fatal(err)
	}
	sjis, err := japanese.ShiftJIS.NewEncoder().String("<title>鐘楼</title>")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ contentType, html, want string }{
		{"text/html; charset=windows-1251", "<title>" + cyrillic + "</title>", title},
		{"text/html", "<meta charset=windows-1251><title>" + cyrillic + "</title>", title},
		{"text/html", `<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><title>` + cyrillic + "</title>", title},
		{"text/html", "<title>" + title + "</title>", title},
		{"text/html; charset=utf-16", wide, title},
		{"text/html; charset=shift_jis", sjis, "鐘楼"},
		{"text/html; charset=nonsense", "<title>" + title + "</title>", title},
		// Not read as the script that it would be in UTF-7.
		{"text/html; charset=utf-7", "<title>+ADw-script+AD4-</title>", "+ADw-script+AD4-"},
		// A lead byte that would swallow the end of the attribute.
		{"text/html; charset=utf-8", "<meta property=og:title content=\"a\xe0\"><title>b</title>", "a\ufffd"},
		{"application/xhtml+xml", "<?xml version='1.0'?><html><head><title>" + title + "</title></head></html>", title},
	} {
		w := newWorld(t, func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", row.contentType)
			fmt.Fprint(out, row.html)
		}, nil)
		if got := w.titleOf(w.url("shop.example", "/")); got != row.want {
			t.Errorf("%s: got %q, want %q", row.contentType, got, row.want)
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		titled("x"), "<meta property=og:title content=x><link rel='icon image_src' href=/x>", "<title>", "<!--", "<![CDATA[<title>]]>", "<script><!--<script></script>",
		"<meta charset=utf-16>\x00<", "\xff\xfe<\x00t\x00", "<title>\x00&#x110000;&notit;</title>", "<svg><title>x</title></svg>", "<plaintext><title>", "<meta charset=iso-2022-jp>\x1b$B",
	} {
		f.Add(seed, "text/html")
		f.Add(seed, "text/html; charset=gb18030")
	}
	f.Fuzz(func(t *testing.T, html, contentType string) {
		about, err := readPage(strings.NewReader(html), contentType)
		if err != nil {
			return
		}
		p := whole(chat.Preview{Site: "shop.example", Title: best(about.title), Description: best(about.description)}, picture{})
		for _, text := range []string{p.Title, p.Description} {
			if !utf8.ValidString(text) || len(text) > 600 || strings.ContainsAny(text, "\x00\n\r\u2028\u202e\u2066") || strings.TrimSpace(text) != text {
				t.Errorf("kept %q", text)
			}
		}
	})
}
