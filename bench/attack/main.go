// Command attack floods a running Carillon and prints what honest users felt meanwhile, and
// what the attacker got. `scripts/attack` builds both and runs it.
//
// Each flood has a server of its own, in a process of its own, on loopback. Honest users are in
// a call there, write to each other and sign in, while one attacker does one thing as fast as
// the flood's bounds allow: a flood is bounded in time (--for), in count and in rate, so that
// the attacker's own work does not hide the server's. Attacker and server share the machine
// all the same, so latencies are to be compared between two binaries in one run (--binary),
// whose floods alternate, and not with those of another machine.
//
// Honest users and the attacker have addresses of their own, see addresses.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options of a run.
type options struct {
	programs []program
	only     []string
	flood    time.Duration // how long each flood lasts
	rest     time.Duration // after which memory is read once more
	json     string
	markdown string
	svg      string
}

// program is a carillon that is attacked.
type program struct{ name, path string }

func main() {
	var o options
	flag.Func("binary", "attack this `NAME=PATH`; repeat it to compare several", o.addBinary)
	flag.Func("only", "only these `FLOODS`, by comma", o.addOnly)
	flag.DurationVar(&o.flood, "for", 5*time.Second, "how long each flood lasts")
	flag.DurationVar(&o.rest, "rest", 5*time.Second, "time after a flood until memory is read again")
	flag.StringVar(&o.json, "json", "", "write all figures to this `FILE`")
	flag.StringVar(&o.markdown, "markdown", "", "write the table as Markdown to this `FILE`")
	flag.StringVar(&o.svg, "svg", "", "write a plot of what honest users felt to this `FILE`")
	list := flag.Bool("list", false, "list the floods")
	flag.Parse()
	if *list {
		for _, f := range floods {
			fmt.Printf("%-12s %-9s %s\n", f.name, f.who, f.does)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func (o *options) addBinary(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want NAME=PATH")
	}
	o.programs = append(o.programs, program{name, path})
	return nil
}

func (o *options) addOnly(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		if !slices.ContainsFunc(floods, func(f flood) bool { return f.name == name }) {
			return fmt.Errorf("no flood is called %q; --list names them", name)
		}
		o.only = append(o.only, name)
	}
	return nil
}

// run measures every flood on every binary in turn. A flood that cannot be measured is told
// and does not stop the others.
func run(ctx context.Context, o options) error {
	if len(o.programs) == 0 {
		return errors.New("which binary? Give --binary NAME=PATH, or start scripts/attack")
	}
	var rows []row
	var failed []error
	for _, f := range floods {
		if len(o.only) > 0 && !slices.Contains(o.only, f.name) {
			continue
		}
		for _, p := range o.programs {
			fmt.Fprintf(os.Stderr, "%s, %s: ", f.name, p.name)
			r, err := measure(ctx, p, f, o)
			if ctx.Err() != nil {
				return errors.Join(write(o, rows), errors.New("interrupted"))
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				failed = append(failed, fmt.Errorf("%s, %s: %w", f.name, p.name, err))
				continue
			}
			fmt.Fprintln(os.Stderr, r.Got)
			rows = append(rows, r)
		}
	}
	return errors.Join(append(failed, write(o, rows))...)
}

func write(o options, rows []row) error {
	failed := []error{printTable(os.Stdout, rows)}
	if o.json != "" {
		b, err := json.MarshalIndent(rows, "", "  ")
		failed = append(failed, err, os.WriteFile(o.json, append(b, '\n'), 0o644))
	}
	if o.markdown != "" {
		failed = append(failed, os.WriteFile(o.markdown, markdown(rows), 0o644))
	}
	if o.svg != "" {
		failed = append(failed, os.WriteFile(o.svg, plot(rows), 0o644))
	}
	return errors.Join(failed...)
}
