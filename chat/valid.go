package chat

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"carillon/auth"
	"carillon/refusal"
)

const (
	maxClientID = 64
	maxKey      = 64
	maxPicture  = 2048
)

// printable reports whether s is valid UTF-8 of printable characters only, and not empty.
func printable(s string) bool {
	return s != "" && utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// cleanPicture is the address of a picture: of http or https, or a path on the page's own
// site. Any other would be a surprise in an img element or a notification; it is dropped.
func cleanPicture(picture string) string {
	u, err := url.Parse(picture)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
	path := err == nil && u.Scheme == "" && u.Host == "" && !strings.ContainsRune(picture, '\\')
	if len(picture) > maxPicture || !printable(picture) || !web && !path {
		return ""
	}
	return picture
}

// isID reports whether s can be the id of a conversation, or a cursor: a database is not asked for
// what it cannot hold.
func isID(s string) bool { return len(s) <= 128 && printable(s) }

// checkCursor accepts where a page may begin; empty is the first.
func checkCursor(after string) error {
	if after != "" && !isID(after) {
		return refusal.New(refusal.BadRequest, "The cursor is not one that this server gave.")
	}
	return nil
}

func checkUser(id string) error {
	if !auth.ValidUser(id) {
		return refusal.New(refusal.BadRequest, "A user id has 1 to 64 printable characters without spaces, in Unicode's normal form C.")
	}
	return nil
}

// CheckClientID accepts an id that a tab may choose, of a message or a call: it is compared
// bytewise, printed in logs and shown to others.
func CheckClientID(id string) error {
	plain := func(r rune) bool { return r <= ' ' || r > '~' }
	if id == "" || len(id) > maxClientID || strings.IndexFunc(id, plain) >= 0 {
		return refusal.New(refusal.BadRequest, "A client id has 1 to %d ASCII characters without spaces.", maxClientID)
	}
	return nil
}

// cleanText returns text as it is stored. Line ends become \n; other control characters,
// which come in with what people paste, are dropped rather than refused.
func cleanText(text string, limit int) (string, error) {
	if !utf8.ValidString(text) {
		return "", refusal.New(refusal.BadRequest, "The text is not UTF-8.")
	}
	text = lineEnds.Replace(text)
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if strings.TrimSpace(text) == "" {
		return "", refusal.New(refusal.BadRequest, "The text is empty.")
	}
	if len(text) > limit {
		return "", refusal.New(refusal.TooLarge, "The text has %d bytes; %d are allowed.", len(text), limit)
	}
	return text, nil
}

// A vertical tab is what word processors put where Shift+Enter was pressed.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\u2028", "\n", "\u2029", "\n")

// turns reports whether a character turns the direction of all that follows, beyond the name it
// stands in. Marks, which act on their neighbours alone, do not.
func turns(r rune) bool { return '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' }

// cleanName returns a name on one line.
func cleanName(name string, limit int) (string, error) {
	if !utf8.ValidString(name) {
		return "", refusal.New(refusal.BadRequest, "The name is not UTF-8.")
	}
	name = oneLine(name)
	if len(name) > limit {
		return "", refusal.New(refusal.TooLarge, "The name has %d bytes; %d are allowed.", len(name), limit)
	}
	return name, nil
}

// oneLine leaves out of a text what would break its line or turn what follows.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || turns(r) }), " ")
}

// maxNested is how deep arrays and objects may lie in each other: more is of use to nobody, and a
// parser somewhere may be recursive.
const maxNested = 32

// nested returns how deep arrays and objects lie in each other in valid JSON.
func nested(value []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
	}
	return deepest
}

// cleanJSON returns a value in its shortest form, nil for null or nothing.
func cleanJSON(value json.RawMessage, limit int) (json.RawMessage, error) {
	if len(value) > 2*limit+64 { // compacting a hostile amount of spaces is not worth it
		return nil, refusal.New(refusal.TooLarge, "The value has %d bytes; %d are allowed.", len(value), limit)
	}
	if len(bytes.TrimSpace(value)) == 0 {
		return nil, nil
	}
	var out bytes.Buffer
	if err := json.Compact(&out, value); err != nil || !utf8.Valid(value) {
		return nil, refusal.New(refusal.BadRequest, "The value is not JSON.")
	}
	if out.String() == "null" {
		return nil, nil
	}
	if nested(out.Bytes()) > maxNested {
		return nil, refusal.New(refusal.TooLarge, "The value is nested more than %d times.", maxNested)
	}
	if out.Len() > limit {
		return nil, refusal.New(refusal.TooLarge, "The value has %d bytes; %d are allowed.", out.Len(), limit)
	}
	return out.Bytes(), nil
}
