package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// pinned says which cores the server and the generator use; empty: any.
type pinned struct {
	server, load []int
}

// parsePin of auto gives the server the first core and the generator the others, if there are
// two or more.
func parsePin(text string, allowed []int) (p pinned, err error) {
	switch text {
	case "none":
		return p, nil
	case "auto":
		if len(allowed) < 2 {
			return p, nil
		}
		return pinned{server: allowed[:1], load: allowed[1:]}, nil
	}
	// server=0+1,load=2-5
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		cores, err := parseCores(value)
		if err != nil {
			return p, fmt.Errorf("pin %s: %w", part, err)
		}
		for _, c := range cores {
			if !slices.Contains(allowed, c) {
				return p, fmt.Errorf("pin %s: this process may use the cores %v only", part, allowed)
			}
		}
		switch key {
		case "server":
			p.server = cores
		case "load":
			p.load = cores
		default:
			return p, fmt.Errorf("pin %s: want auto, none, or server=0,load=1", part)
		}
	}
	return p, nil
}

func parseCores(text string) (cores []int, err error) {
	for part := range strings.SplitSeq(text, "+") {
		first, last, ok := strings.Cut(part, "-")
		if !ok {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || to < from || to-from > 1023 {
			return nil, fmt.Errorf("%q is no list of cores such as 0, 2-3 or 0+2", text)
		}
		for c := from; c <= to; c++ {
			cores = append(cores, c)
		}
	}
	return cores, nil
}
