package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPagesAndScriptsAreThere(t *testing.T) {
	for path, want := range map[string]string{"/": "text/html", "/demo": "text/html", "/popup.js": "text/javascript", "/sdk.js": "text/javascript"} {
		r := get(t, path)
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(r.Header.Get("Content-Type"), want) {
			t.Errorf("%s: got %d %s, want 200 %s", path, r.StatusCode, r.Header.Get("Content-Type"), want)
		}
	}
	for _, path := range []string{"/index.html", "/demo.html", "/assets/", "/popup.js.br", "/../web.go", "/nothing"} {
		if r := get(t, path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, r.StatusCode)
		}
	}
}

func TestEveryFileThatAPageNamesIsThere(t *testing.T) {
	for _, page := range []string{"/", "/demo"} {
		names := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(body(t, get(t, page)), -1)
		if len(names) < 3 {
			t.Errorf("%s names %d assets, want its icon, style and script", page, len(names))
		}
		for _, name := range names {
			r := get(t, name[1])
			if r.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d, want 200", name[1], r.StatusCode)
			}
			if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("%s: Cache-Control %q, want immutable", name[1], got)
			}
		}
	}
}

func TestTheSmallestAcceptedCodingIsSent(t *testing.T) {
	plain := body(t, get(t, "/popup.js"))
	for accept, want := range map[string]string{
		"":                             "",
		"gzip":                         "gzip",
		"gzip, deflate, br":            "br",
		"br;q=0, gzip;q=0.5":           "gzip",
		"*":                            "br",
		"*;q=0":                        "",
		"identity, *;q=0":              "",
		"GZIP":                         "gzip",
		"deflate, zstd":                "",
		"br; q=0.0 , *; q = 0.1, gzip": "gzip",
	} {
		r := get(t, "/popup.js", "Accept-Encoding", accept)
		if got := r.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", accept, got, want)
		}
		if r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", accept, r.Header.Get("Vary"))
		}
	}
	z, err := gzip.NewReader(bytes.NewReader([]byte(body(t, get(t, "/popup.js", "Accept-Encoding", "gzip")))))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(z)
	if err != nil || string(unpacked) != plain {
		t.Errorf("the gzip body is not the plain one (%v)", err)
	}
}

func TestAnUnchangedFileIsNotSentAgain(t *testing.T) {
	first := get(t, "/popup.js", "Accept-Encoding", "br")
	tag := first.Header.Get("ETag")
	again := get(t, "/popup.js", "Accept-Encoding", "br", "If-None-Match", `"other", W/`+tag)
	if again.StatusCode != http.StatusNotModified || body(t, again) != "" {
		t.Errorf("same tag: got %d, want an empty 304", again.StatusCode)
	}
	if r := get(t, "/popup.js", "If-None-Match", tag); r.StatusCode != http.StatusOK {
		t.Errorf("the tag of another coding: got %d, want 200", r.StatusCode)
	}
}

func TestPagesKeepToThemselves(t *testing.T) {
	for _, page := range []string{"/", "/demo"} {
		h := get(t, page).Header
		policy := h.Get("Content-Security-Policy")
		for _, directive := range strings.Split(policy, ";") {
			if strings.Contains(directive, "unsafe") {
				t.Errorf("%s: %q is unsafe", page, directive)
			}
		}
		if !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("%s: policy %q, want scripts of its own only", page, policy)
		}
		if !strings.Contains(policy, "frame-ancestors 'self';") {
			t.Errorf("%s: policy %q, want no frame of another site around it", page, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Permissions-Policy"), "camera=(self)") {
			t.Errorf("%s: headers %v", page, h)
		}
		if regexp.MustCompile(`<script(?: type="module")?>|\sstyle=|\son[a-z]+=|(?:href|src)="(?:https?:)?//`).MatchString(body(t, get(t, page))) {
			t.Errorf("%s has something inline or foreign, which its policy forbids", page)
		}
	}
}

func TestScriptsServeOtherSites(t *testing.T) {
	h := get(t, "/popup.js").Header
	if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("headers %v, want a script that any site may load as a module", h)
	}
}

func TestOnlyReading(t *testing.T) {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/popup.js", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: got %d, want 405", w.Code)
	}
	w = httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: got %d with %d bytes, want the header alone", w.Code, w.Body.Len())
	}
}

func TestAnIncompleteBuildIsRefused(t *testing.T) {
	one := &fstest.MapFile{Data: []byte("x")}
	builds := map[string]fstest.MapFS{
		"no page":           {"dist/popup.js": one, "dist/popup.js.br": one, "dist/popup.js.gz": one},
		"not precompressed": {"dist/index.html": one, "dist/demo.html": one},
		"unknown type":      {"dist/a.exe": one, "dist/a.exe.br": one, "dist/a.exe.gz": one},
	}
	for name, build := range builds {
		if _, err := load(build); err == nil {
			t.Errorf("%s: load succeeded, want an error", name)
		}
	}
}
