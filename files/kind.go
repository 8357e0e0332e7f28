package files

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// unknownType is that of bytes of which nobody knows what they are.
const unknownType = "application/octet-stream"

// sniffBytes is how much of a file tells its type. The library looks at no more by itself.
const sniffBytes = 3072

// typeOf finds the type of a file by how it begins, never by its name.
func typeOf(r io.Reader) (string, error) {
	head := make([]byte, sniffBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	head = head[:n]
	found := mimetype.Detect(head).String()
	if found == unknownType {
		found = http.DetectContentType(head)
	}
	name, _, err := mime.ParseMediaType(found)
	if err != nil || n == 0 {
		return unknownType, nil
	}
	if same, known := sameTypes[name]; known {
		name = same
	}
	return name, nil
}

// sameTypes are types that have several names, by which browsers know them.
var sameTypes = map[string]string{
	"audio/wave": "audio/wav", "audio/x-wav": "audio/wav", "audio/x-m4a": "audio/mp4", "audio/x-flac": "audio/flac",
	"application/ogg": "audio/ogg", "video/x-m4v": "video/mp4", "image/vnd.mozilla.apng": "image/png",
}

// shownTypes are those which browsers show or play without running anything that is in them. All
// others are saved.
var shownTypes = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true,
	"audio/mpeg": true, "audio/ogg": true, "audio/wav": true, "audio/mp4": true, "audio/aac": true, "audio/flac": true, "audio/webm": true,
	"video/mp4": true, "video/webm": true, "video/ogg": true,
}

// servedType is what a browser is told of a file, and whether it may show it. What could run in our
// origin, were it opened, is called by no name.
func servedType(found string) (served string, shown bool) {
	switch {
	case shownTypes[found]:
		return found, true
	case strings.HasPrefix(found, "text/") && found != "text/plain" && found != "text/csv",
		strings.HasSuffix(found, "+xml"), strings.HasSuffix(found, "/xml"), strings.Contains(found, "script"):
		return unknownType, false
	}
	return found, false
}

func isTimed(found string) bool {
	return strings.HasPrefix(found, "audio/") || strings.HasPrefix(found, "video/")
}
