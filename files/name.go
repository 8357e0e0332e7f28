package files

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"carillon/auth"
)

// maxName is the longest name of a file in bytes, as file systems have it.
const maxName = 255

// cleanName is a name under which anyone can save a file: the last part of a path, without
// characters that are not seen or that turn the order of others around (a "cod.exe" that reads
// "exe.doc"), not hidden, and not too long. Where nothing is left it is "file".
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "")
	name = path.Base("/" + strings.ReplaceAll(name, `\`, "/"))
	name = norm.NFC.String(strings.Map(func(r rune) rune { // what is left out may have kept letters apart
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '/' || r == unicode.ReplacementChar || !unicode.IsPrint(r) || auth.Ignorable(r) && !unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, name))
	name = shorten(strings.TrimSpace(strings.TrimLeft(name, ". ")))
	if name == "" {
		return "file"
	}
	return name
}

// shorten cuts a name and leaves it its ending.
func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	ending := path.Ext(name)
	if len(ending) > 16 {
		ending = ""
	}
	cut := name[:maxName-len(ending)]
	for !utf8.ValidString(cut) {
		cut = cut[:len(cut)-1]
	}
	return strings.TrimSpace(cut) + ending
}
