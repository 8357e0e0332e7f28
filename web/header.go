package web

import (
	"net/http"
	"strconv"
	"strings"
)

// pagePolicy allows a page its own scripts, styles and connections and nothing inline.
// Pictures may come from elsewhere, because users' pictures are URLs of the site's choice.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data: blob: https:; media-src 'self' blob:; font-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"form-action 'self'; frame-ancestors 'self'; base-uri 'none'; object-src 'none'"

// permissions lets a page use what a call needs, and no frame in it anything at all.
const permissions = "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), speaker-selection=(self), " +
	"fullscreen=(self), picture-in-picture=(self), screen-wake-lock=(self), geolocation=(self), " +
	"payment=(), usb=(), serial=(), hid=(), midi=(), browsing-topics=()"

func (f *file) setHeader(h http.Header, coding string) {
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	tag := f.etag
	if coding != "" {
		h.Set("Content-Encoding", coding)
		tag += "-" + coding // a strong tag names bytes, and these differ
	}
	h.Set("ETag", strconv.Quote(tag))
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache") // ask every time, 304 mostly: names of chunks change with a release
	}
	if f.page {
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Permissions-Policy", permissions)
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		return
	}
	// Scripts are made to be used from any site.
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // for who opens one as a document
}

// negotiate picks the smallest coding that the client takes.
//
// "[...] If the content-coding is one of the content-codings listed in the
// Accept-Encoding field value, then it is acceptable unless it is accompanied
// by a qvalue of 0."
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
func (f *file) negotiate(accept string) string {
	verdicts := map[string]bool{}
	for item := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		verdicts[strings.ToLower(strings.TrimSpace(name))] = !refused(parameters)
	}
	for _, coding := range []string{"br", "gzip"} {
		accepted, named := verdicts[coding]
		if !named {
			accepted = verdicts["*"]
		}
		if accepted {
			return coding
		}
	}
	return ""
}

func refused(parameters string) bool {
	weight, found := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
	if !found {
		return false
	}
	q, err := strconv.ParseFloat(weight, 64)
	return err == nil && q == 0
}

// matches compares weakly, as If-None-Match asks.
func matches(header, tag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}
