package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Status of a check.
type Status string

const (
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // some callers suffer, or soon will
	StatusProblem Status = "problem" // calls fail
	StatusSkipped Status = "skipped" // could not be checked, and why
)

// Finding is what one check says, in words for who runs the server.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	// Suffers is what callers notice. Empty when all is well.
	Suffers string `json:"callers_suffer,omitempty"`
	// Change is what to do about it.
	Change string `json:"change,omitempty"`
}

func ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Status: StatusOK, Found: fmt.Sprintf(format, args...)}
}

func skipped(check, format string, args ...any) Finding {
	return Finding{Check: check, Status: StatusSkipped, Found: fmt.Sprintf(format, args...)}
}

// Unusable is the finding about a configuration with which no server starts.
func Unusable(check string, err error, change string) Finding {
	return Finding{Check: check, Status: StatusProblem, Found: err.Error(), Suffers: "carillon does not start with it", Change: change}
}

// Problems counts the findings that are one.
func Problems(all []Finding) (n int) {
	for _, f := range all {
		if f.Status == StatusProblem {
			n++
		}
	}
	return n
}

// PrintJSON writes the findings and the version of the program for other programs.
func PrintJSON(out io.Writer, version string, all []Finding) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{"version": version, "findings": all})
}

// maxFound is how many characters of a finding are printed. Ours are shorter, but an answer that is
// quoted in one may be not.
const maxFound = 1000

// Printable is text for a terminal: what would steer it, or turn what follows, is written as
// its code, and what is too long is cut.
func Printable(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxFound {
			return b.String() + "…"
		}
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// PrintText writes the findings for people: a line for each, and below it what callers
// suffer and what to change.
func PrintText(out io.Writer, all []Finding) error {
	for _, f := range all {
		if _, err := fmt.Fprintf(out, "%-8s %-14s %s\n", f.Status, f.Check, Printable(f.Found)); err != nil {
			return err
		}
		for _, l := range []struct{ name, text string }{{"callers", f.Suffers}, {"change", f.Change}} {
			if l.text != "" {
				fmt.Fprintf(out, "%-23s %-8s %s\n", "", l.name+":", Printable(l.text))
			}
		}
	}
	return nil
}
