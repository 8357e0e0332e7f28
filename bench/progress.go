package bench

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress is told what runs now, how much of the run is done (0 to 1), and how long the
// rest will take.
type Progress func(what string, done float64, left time.Duration)

// steps says how far a run is in its plan. One goroutine uses it.
type steps struct {
	show    Progress
	total   time.Duration
	before  time.Duration // expected time of the steps that are over
	current time.Duration
	name    string
	began   time.Time
}

func newSteps(show Progress) *steps { return &steps{show: show} }

func (s *steps) plan(d time.Duration) { s.total += d }

func (s *steps) begin(name string, takes time.Duration) {
	s.before += s.current
	s.name, s.current, s.began = name, takes, time.Now()
	s.detail("")
}

func (s *steps) detail(text string) {
	if s == nil || s.show == nil || s.total == 0 {
		return
	}
	done := s.before + min(time.Since(s.began), s.current)
	what := s.name
	if text != "" {
		what += ": " + text
	}
	s.show(what, float64(done)/float64(s.total), s.total-done)
}

func (s *steps) end() {
	if s != nil && s.show != nil {
		s.show("", 1, 0)
	}
}

// Bar draws a progress bar on a terminal, and elsewhere a line whenever the step changes.
func Bar(w io.Writer, terminal bool) Progress {
	var mu sync.Mutex
	last := ""
	return func(what string, done float64, left time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if terminal {
			if what == "" {
				fmt.Fprint(w, "\r\x1b[K")
				return
			}
			const width = 24
			full := min(int(done*width), width)
			fmt.Fprintf(w, "\r\x1b[K[%s%s] %3.0f %%  %s left  %s", strings.Repeat("█", full), strings.Repeat("·", width-full), done*100, left.Round(time.Second), what)
			return
		}
		step, _, _ := strings.Cut(what, ": ")
		if step != last && step != "" {
			fmt.Fprintf(w, "%3.0f %%, %s left: %s\n", done*100, left.Round(time.Second), step)
		}
		last = step
	}
}
