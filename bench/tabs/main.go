// Command tabs measures what open tabs cost a server: `go run ./bench/tabs`. The server is a real
// carillon in a process of its own, with every limit at its default and a database on disk; the tabs
// are in this process. Each has a user, a token and a WebSocket of its own over loopback.
//
//   - Idle: what a tab that does nothing costs in memory and processor time, and what two people who
//     write to each other feel beside them. Then the server is killed and started again: until when
//     are all tabs back, and what do the two feel meanwhile?
//   - Delivery: what it costs to bring one message to each member of a group, by the size of the group.
//
// With several binaries (-binary, again and again) it measures them in turns, so that a busy machine
// harms all alike. Server and tabs share the machine, and the tabs of a person would not: what takes
// time is slower here than it would be for them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"carillon/auth"
)

// options of a run.
type options struct {
	programs  []program
	tabs      int
	addresses int
	idle      time.Duration
	members   []int
	messages  int
	rounds    int
	profile   string
}

// program is a carillon that is measured.
type program struct{ name, path string }

func main() {
	var o options
	flag.Func("binary", "measure this `NAME=PATH`; repeat it to compare several; without, what is built here", o.addBinary)
	flag.IntVar(&o.tabs, "tabs", 10000, "idle tabs; 0: leave this part out")
	flag.IntVar(&o.addresses, "addresses", 20, "from how many addresses they come")
	flag.DurationVar(&o.idle, "idle", time.Minute, "how long they are idle")
	members := flag.String("members", "10,100,1000", "members of the groups to which messages are delivered, by comma; empty: leave this part out")
	flag.IntVar(&o.messages, "messages", 100, "messages to each group in a round")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of deliveries")
	flag.StringVar(&o.profile, "profile", "", "write profiles of the servers into this `FOLDER`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := o.setMembers(*members)
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tabs:", err)
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

func (o *options) setMembers(text string) error {
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > 1000 {
			return fmt.Errorf("members %q: want 1 to 1000", field)
		}
		o.members = append(o.members, n)
	}
	return nil
}

func run(ctx context.Context, o options) error {
	if len(o.programs) == 0 {
		folder, err := os.MkdirTemp("", "carillon-tabs-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		built := program{"here", filepath.Join(folder, "carillon")}
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", built.path, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
		o.programs = []program{built}
	}
	signer, err := auth.NewVerifier(ctx, auth.Config{Keys: map[string]string{"site": signingKey}}, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if o.tabs > 0 {
		for _, p := range o.programs {
			if err := measureIdle(ctx, p, signer, o); err != nil {
				return fmt.Errorf("idle, %s: %w", p.name, err)
			}
		}
	}
	if len(o.members) > 0 {
		if err := measureDelivery(ctx, signer, o); err != nil {
			return fmt.Errorf("delivery: %w", err)
		}
	}
	return ctx.Err()
}
