package preview

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

func TestARedirectIsFollowedThreeTimes(t *testing.T) {
	var w *world
	w = newWorld(t, func(out http.ResponseWriter, r *http.Request) {
		var left int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &left); err != nil || left == 0 {
			page200(out, titled("there"))
			return
		}
		to := fmt.Sprintf("/%d", left-1)
		if left%2 == 0 {
			to = w.url("other.example", to)
		}
		http.Redirect(out, r, to, []int{301, 302, 303, 307, 308}[left%5])
	}, nil)
	for left, want := range map[int]string{0: "there", 1: "there", 3: "there", 4: "", 10: ""} {
		if got := w.titleOf(w.url("shop.example", fmt.Sprintf("/%d", left))); got != want {
			t.Errorf("after %d redirects: got %q, want %q", left, got, want)
		}
	}
	if p := w.get(w.url("www.shop.example", "/2")); p == nil || p.Site != fmt.Sprintf("shop.example:%d", w.port) || !strings.HasPrefix(p.URL, "http://www.shop.example:") {
		t.Errorf("got %+v, want the site that the link leads to, and no other", p)
	}
}

func TestARedirectLeadsNowhereElseThanALink(t *testing.T) {
	for _, to := range []string{
		"http://127.0.0.2/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://10.0.0.1/", "http://0x7f.1/", "http://2130706433/",
		"http://localhost/", "http://metadata.google.internal/", "file:///etc/passwd", "ftp://shop.example/", "gopher://shop.example:70/_x", "javascript:alert(1)",
		"data:text/html,<title>x</title>", "//user:pw@shop.example/", "http://shop.example:22/", "http://shop.example:6379/", "", "http://", "\\\\127.0.0.2\\",
	} {
		w := newWorld(t, func(out http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				t.Errorf("redirected to %q, asked for %s", to, r.URL)
			}
			out.Header().Set("Location", to)
			out.WriteHeader(http.StatusFound)
		}, nil)
		if p := w.get(w.url("shop.example", "/")); p != nil {
			t.Errorf("redirected to %q: got %+v", to, p)
		}
	}
}

// Whom we ask learns nothing of who wants to know, no other server is asked first, and nothing is remembered between.
func TestARequestTellsNothingOfAnybody(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.9:9")
	t.Setenv("http_proxy", "http://127.0.0.9:9")
	var w *world
	seen := 0
	w = newWorld(t, func(out http.ResponseWriter, r *http.Request) {
		seen++
		for name := range r.Header {
			if !strings.Contains("User-Agent Accept Accept-Encoding Connection", name) {
				t.Errorf("sent %s: %s", name, r.Header.Get(name))
			}
		}
		if r.Header.Get("User-Agent") != "Carillon" || r.Method != http.MethodGet || r.URL.Fragment != "" {
			t.Errorf("got %s %s by %q", r.Method, r.URL, r.Header.Get("User-Agent"))
		}
		http.SetCookie(out, &http.Cookie{Name: "id", Value: "1", Path: "/"})
		out.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		if r.URL.Path == "/" {
			http.Redirect(out, r, "/next", http.StatusFound)
			return
		}
		page200(out, `<meta property="og:image" content="/picture">`)
	}, nil)
	w.get(w.url("shop.example", "/#part"))
	if seen != 3 {
		t.Errorf("asked %d times, want 3", seen)
	}
}

// A page that never ends is left as soon as its head, or as much as is read of a page, is there.
func TestAnEndlessPageIsLeft(t *testing.T) {
	for name, head := range map[string]string{"after its head": titled("shown"), "after the most that is read": "<title>shown</title><script>"} {
		left := make(chan struct{})
		w := newWorld(t, func(out http.ResponseWriter, r *http.Request) {
			defer close(left)
			page200(out, head)
			part := bytes.Repeat([]byte("<p>"), 10_000)
			for {
				if _, err := out.Write(part); err != nil {
					return
				}
			}
		}, nil)
		if title := w.titleOf(w.url("shop.example", "/")); title != "shown" {
			t.Errorf("%s: got %q", name, title)
		}
		<-left
	}
}

// A page that comes byte by byte, and one that never begins, are left after the time for a page.
func TestASlowPageIsLeft(t *testing.T) {
	for name, drip := range map[string]string{"header": "", "body": "<"} {
		left := make(chan struct{})
		w := newWorld(t, func(out http.ResponseWriter, r *http.Request) {
			defer close(left)
			if drip != "" {
				page200(out, drip)
				_ = http.NewResponseController(out).Flush()
			}
			<-r.Context().Done()
		}, func(c *Config, _ *Deps) { c.TimeoutSeconds = 1 })
		if p := w.get(w.url("shop.example", "/")); p != nil {
			t.Errorf("%s: got %+v", name, p)
		}
		<-left
	}
}

func zipped(b *bytes.Buffer, write func(io.Writer)) {
	z := gzip.NewWriter(b)
	write(z)
	_ = z.Close()
}

// A page of a few bytes that decompresses to very many costs what is read of a page.
func TestABombIsNotBlownUp(t *testing.T) {
	var bomb, nested, plain bytes.Buffer
	zipped(&bomb, func(z io.Writer) {
		fmt.Fprint(z, "<title>bomb</title><!--")
		zeros := make([]byte, 1<<20)
		for range 64 {
			_, _ = z.Write(zeros)
		}
	})
	zipped(&nested, func(z io.Writer) { _, _ = z.Write(bomb.Bytes()) })
	zipped(&plain, func(z io.Writer) { fmt.Fprint(z, titled("zipped")) })
	w := newWorld(t, func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "text/html")
		out.Header().Set("Content-Encoding", "gzip")
		switch r.URL.Path {
		case "/bomb":
			_, _ = out.Write(bomb.Bytes())
		case "/nested":
			_, _ = out.Write(nested.Bytes())
		case "/plain":
			_, _ = out.Write(plain.Bytes())
		case "/cut":
			_, _ = out.Write(plain.Bytes()[:plain.Len()-9])
		case "/empty": // members in which there is nothing, without end
			var nothing bytes.Buffer
			zipped(&nothing, func(io.Writer) {})
			for {
				if _, err := out.Write(nothing.Bytes()); err != nil {
					return
				}
			}
		case "/twice":
			out.Header().Set("Content-Encoding", "gzip, gzip")
			_, _ = out.Write(nested.Bytes())
		case "/br":
			out.Header().Set("Content-Encoding", "br")
			_, _ = out.Write(plain.Bytes())
		default:
			_, _ = out.Write([]byte("<title>not zipped</title>"))
		}
	}, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for path, want := range map[string]string{"/bomb": "bomb", "/nested": "", "/plain": "zipped", "/cut": "zipped", "/empty": "", "/twice": "", "/br": "", "/none": ""} {
		if got := w.titleOf(w.url("shop.example", path)); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
}

// A header without end, and answers that are none.
func TestAnswersThatMakeNoSense(t *testing.T) {
	for name, answer := range map[string]string{
		"a header without end": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20),
		"no HTTP":              "220 mail.example ESMTP\r\n",
		"two lengths":          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		"a chunk without end":  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n",
		"informal answers":     strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("y", 1000)+"\r\n\r\n", 1000),
		"nothing":              "",
		"an error":             "HTTP/1.1 500 No\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<title>error</title> ",
		"no content type":      "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<title>none</title> ",
		"a bad content type":   "HTTP/1.1 200 OK\r\nContent-Type: ;;;\r\nContent-Length: 20\r\n\r\n<title>none</title> ",
		"a partial answer":     "HTTP/1.1 206 Partial\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<title>none</title> ",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { // ends with the listener
			defer close(done)
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, answer)
				conn.Close()
			}
		}()
		port := l.Addr().(*net.TCPAddr).Port
		w := newWorld(t, nil, func(c *Config, _ *Deps) { c.Ports = []int{port} })
		if p := w.get(fmt.Sprintf("http://shop.example:%d/", port)); p != nil {
			t.Errorf("%s: got %+v", name, p)
		}
		l.Close()
		<-done
	}
}

// HTTPS is asked for under the name in the link, and a certificate that is not good for it ends it.
func TestCertificatesAreChecked(t *testing.T) {
	var asked atomic.Int32
	pages := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		page200(w, titled("secure"))
	}))
	pages.Config.ErrorLog = quiet
	pages.StartTLS()
	defer pages.Close()
	port := pages.Listener.Addr().(*net.TCPAddr).Port
	trusted := x509.NewCertPool()
	trusted.AddCert(pages.Certificate())
	for _, row := range []struct {
		trust *tls.Config
		host  string
		want  string
	}{
		{&tls.Config{RootCAs: trusted}, "example.com", "secure"},
		{&tls.Config{RootCAs: trusted}, "shop.example", ""},
		{&tls.Config{}, "example.com", ""},
	} {
		w := newWorld(t, nil, func(c *Config, d *Deps) { c.Ports, d.Trust = []int{port}, row.trust })
		if got := w.titleOf(fmt.Sprintf("https://%s:%d/", row.host, port)); got != row.want {
			t.Errorf("%s: got %q, want %q", row.host, got, row.want)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("%d requests were made, want 1", asked.Load())
	}
}

func TestWhatIsNoPageIsNamed(t *testing.T) {
	w := newWorld(t, func(out http.ResponseWriter, r *http.Request) {
		contentType := "application/pdf"
		switch r.URL.Path {
		case "/disposition":
			out.Header().Set("Content-Disposition", `attachment; filename*=UTF-8''..%2f..%5cPrice%20%E2%80%AElist.pdf`)
		case "/drawing.svg":
			contentType = "image/svg+xml"
		case "/a%2Fb", "/a/b":
			contentType = "Text/Plain; charset=utf-8"
		}
		out.Header().Set("Content-Type", contentType)
		fmt.Fprint(out, "<title>not read</title>")
	}, nil)
	for path, want := range map[string][2]string{
		"/Price%20list.pdf": {"Price list.pdf", "application/pdf"},
		"/disposition":      {"Price list.pdf", "application/pdf"},
		"/drawing.svg":      {"drawing.svg", "image/svg+xml"},
		"/a/b":              {"b", "text/plain"},
	} {
		p := w.get(w.url("shop.example", path))
		if p == nil || p.Title != want[0] || p.Description != want[1] || p.Picture != nil {
			t.Errorf("%s: got %+v, want %q", path, p, want)
		}
	}
	if p := w.get(w.url("shop.example", "/")); p != nil {
		t.Errorf("a file without a name: got %+v, want nothing", p)
	}
}
