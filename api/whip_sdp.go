package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"carillon/refusal"
)

// readSDP reads a body that claims to be what it should.
func readSDP(w http.ResponseWriter, r *http.Request, want string) (string, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != want {
		return "", refusal.New(refusal.BadRequest, "Content-Type must be %s.", want).WithStatus(http.StatusUnsupportedMediaType)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOffer))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return "", refusal.New(refusal.TooLarge, "An offer has at most %d bytes.", maxOffer)
		}
		return "", refusal.New(refusal.BadRequest, "The body could not be read.")
	}
	return string(b), nil
}

// attribute returns the first a=name: of an SDP text.
func attribute(sdp, name string) string {
	for line := range strings.Lines(sdp) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "a="+name+":"); ok {
			return value
		}
	}
	return ""
}

// withAttribute gives each a=name: of an SDP text another value.
func withAttribute(sdp, name, value string) string {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(strings.TrimSpace(line), "a="+name+":") {
			line = "a=" + name + ":" + value + "\r\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// fragmentOf is our side of an ICE restart.
func fragmentOf(answer string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		for _, name := range []string{"a=ice-lite", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates"} {
			if strings.HasPrefix(line, name) && !seen[line] {
				seen[line] = true
				b.WriteString(line + "\r\n")
			}
		}
	}
	return b.String()
}
