// Package web holds the built browser side (dist, made by `npm run build`) and serves it:
// precompressed, validated by ETag, with the headers that keep a page to itself.
//
// The sources lie beside it: sdk (the client without DOM), popup (the element and its
// loader), demo (the pages of a small shop). Nothing here knows who is signed in.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// pages are served under a name without extension.
var pages = map[string]string{"/": "index.html", "/demo": "demo.html"}

// file is one built file with its encodings. Fixed at construction.
type file struct {
	contentType string
	page        bool // a document, which gets the policies
	immutable   bool // its name changes with its content
	etag        string
	body        map[string][]byte // by content coding, "" as it is
}

// Handler serves the built pages and scripts. What it does not know is 404, so that it
// may be the last one asked. It panics when the embedded build is incomplete, which a
// test of this package rules out.
func Handler() http.Handler {
	files, err := load(dist)
	if err != nil {
		panic(err)
	}
	return handler(files)
}

type handler map[string]*file // by URL path

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := h[r.URL.Path]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	coding := f.negotiate(r.Header.Get("Accept-Encoding"))
	f.setHeader(w.Header(), coding)
	if matches(r.Header.Get("If-None-Match"), w.Header().Get("ETag")) {
		w.Header().Del("Content-Type")
		w.Header().Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body[coding]
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the browser left; nobody is there to be told
	}
}

// load reads a build: every file with its .br and .gz.
func load(build fs.FS) (handler, error) {
	h := handler{}
	err := fs.WalkDir(build, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
			return err
		}
		f := &file{body: map[string][]byte{}}
		for coding, suffix := range map[string]string{"": "", "br": ".br", "gzip": ".gz"} {
			if f.body[coding], err = fs.ReadFile(build, name+suffix); err != nil {
				return fmt.Errorf("read built page: %w", err)
			}
		}
		sum := sha256.Sum256(f.body[""])
		f.etag = base64.RawURLEncoding.EncodeToString(sum[:12])
		f.contentType = contentTypes[path.Ext(name)]
		if f.contentType == "" {
			return fmt.Errorf("built file %s: unknown type", name)
		}
		f.page = path.Ext(name) == ".html"
		url := strings.TrimPrefix(name, "dist")
		f.immutable = strings.HasPrefix(url, "/assets/")
		h[url] = f
		return nil
	})
	if err != nil {
		return nil, err
	}
	for url, name := range pages {
		f := h["/"+name]
		if f == nil {
			return nil, fmt.Errorf("built page %s is missing", name)
		}
		delete(h, "/"+name) // one address per page
		h[url] = f
	}
	return h, nil
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}
