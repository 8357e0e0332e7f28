package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"carillon/bench"
	"carillon/bench/load"
	"carillon/bench/report"
	"carillon/bench/target"
)

// benchCmd measures media paths. Without flags it starts its own servers in processes of
// their own, measures everything and prints one table.
type benchCmd struct {
	Quick   bool     `help:"Measure one fan-out on every target, in 40 s."`
	Ramp    bool     `help:"Find the most subscribers that each target serves before loss or latency passes a limit."`
	Compare bool     `help:"Take the targets from the arguments, and print ratios: --compare A B."`
	Targets []string `arg:"" optional:"" help:"Targets of --compare, written as in --target."`

	Server string   `group:"what" help:"A Carillon that runs already, on all its media paths." placeholder:"URL"`
	Whip   string   `group:"what" help:"Any server: where to publish." placeholder:"URL"`
	Whep   string   `group:"what" help:"Any server: where to subscribe." placeholder:"URL"`
	Token  string   `group:"what" help:"Bearer token for --server, --whip and --whep." placeholder:"TOKEN"`
	Pid    int      `group:"what" help:"The process of that server, to read its processor time. On this machine it is found without." placeholder:"PID"`
	Target []string `group:"what" help:"carillon, pion, server=URL, or whip=URL,whep=URL. To the last two may be added: ,token=T ,pid=N ,name=X. Repeat it for more. Without: carillon and pion." placeholder:"TARGET" sep:"none"`

	Paths       []string      `group:"rows" help:"Only these paths: udp, ice-tcp, turn-udp, turn-tcp, turn-tls, data-reliable, data-lossy, websocket." placeholder:"PATH"`
	Shapes      []string      `group:"rows" help:"Only these shapes: 1:1, 1:N, N:N, audio, simulcast, messages, ring." placeholder:"SHAPE"`
	Subscribers []int         `group:"rows" short:"n" help:"Subscribers of a 1:N row (10,100,400)." placeholder:"N"`
	Members     int           `group:"rows" help:"Members of the N:N row (12)." placeholder:"N"`
	Slots       int           `group:"rows" help:"Videos that each member sees (4)." placeholder:"M"`
	Calls       int           `group:"rows" help:"Calls that begin in a second, in the ring row (20)." placeholder:"N"`
	Tabs        int           `group:"rows" help:"Tabs of each user who is called (5)." placeholder:"N"`
	Rounds      int           `group:"rows" help:"Windows per row. All targets are measured once per round (5)." placeholder:"N"`
	Window      time.Duration `group:"rows" help:"How long a window lasts (1s)." placeholder:"TIME"`

	Codec  string `group:"load" help:"Video codec: vp8 or h264." default:"vp8" enum:"vp8,h264"`
	Rate   string `group:"load" help:"Bits per second of the video." default:"1.536mbit"`
	FPS    int    `group:"load" name:"fps" help:"Frames per second." default:"30"`
	Size   int    `group:"load" help:"Bytes of a video packet's payload." default:"1200"`
	Pacing string `group:"load" help:"How the packets of a frame leave: burst (at once) or even (spread over the frame's time)." default:"burst" enum:"burst,even"`
	Sample int    `group:"load" help:"Decrypt and time one packet of so many (1)." placeholder:"N"`
	Pin    string `group:"load" help:"Processor cores: auto (server on the first, load on the others), none, or server=0,load=1-3." default:"auto"`
	Netem  string `group:"load" help:"Make the network worse: loss=2%,delay=50ms,rate=2mbit." placeholder:"SPEC"`

	JSON     string `group:"output" name:"json" help:"Write the report as JSON." placeholder:"FILE"`
	CSV      string `group:"output" name:"csv" help:"Write the rows as CSV." placeholder:"FILE"`
	HTML     string `group:"output" name:"html" help:"Write one page with tables and plots." placeholder:"FILE"`
	Markdown string `group:"output" help:"Write the rows as Markdown tables." placeholder:"FILE"`
	SVG      string `group:"output" name:"svg" help:"Write each plot as a file." placeholder:"FOLDER"`
	Baseline string `group:"output" help:"Compare with the JSON of an earlier run, and print what changed beyond noise." placeholder:"FILE"`
}

// Help follows the summary in carillon bench --help.
func (benchCmd) Help() string {
	return `Without flags it starts Carillon's SFU, and a plain fan-out made with pion to compare it with,
each in a process of its own. It sends made-up video and sound to many subscribers, and prints a
table: processor time per packet, latency, loss, memory. "× floor" compares the processor time
with that of the least that forwarding could cost. A whole run takes five minutes.

    carillon bench --quick                                  the same in 40 s
    carillon bench --server https://calls.example.com --token "$TOKEN"
    carillon bench --whip URL --whep URL                    any other server
    carillon bench --json today.json --baseline last.json   what has changed?

docs/BENCHMARKS.md explains each column and how far to trust it.`
}

// benchGroups are the headings in carillon bench --help.
var benchGroups = kong.ExplicitGroups([]kong.Group{
	{Key: "what", Title: "What to measure:"},
	{Key: "rows", Title: "Which rows, and how large:"},
	{Key: "load", Title: "What is sent, and from where:"},
	{Key: "output", Title: "Results, beside the table:"},
})

// Run ends with an error, and so with a non-zero status, when a target failed; what was
// measured before is printed and written all the same.
func (c benchCmd) Run(ctx context.Context) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	// What cannot be read or written is said before the minutes, not after.
	var before *report.Report
	if c.Baseline != "" {
		if before, err = report.ReadBaseline(c.Baseline); err != nil {
			return err
		}
	}
	if err := c.writable(); err != nil {
		return err
	}
	found, err := bench.Run(ctx, options)
	if found == nil {
		return err
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	err = errors.Join(err, c.write(found))
	if before != nil {
		report.PrintDifferences(os.Stdout, found.Differences(before))
	}
	return err
}

func (c benchCmd) writable() error {
	if c.SVG != "" {
		if err := os.MkdirAll(c.SVG, 0o755); err != nil {
			return fmt.Errorf("write the plots: %w", err)
		}
	}
	for _, name := range []string{c.JSON, c.CSV, c.HTML, c.Markdown} {
		if name == "" {
			continue
		}
		f, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return nil
}

func (c benchCmd) options() (o bench.Options, err error) {
	self, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("find the own binary, which is the server: %w", err)
	}
	o = bench.Options{
		Quick: c.Quick, Targets: c.Target, Paths: c.Paths, Shapes: c.Shapes, Subscribers: c.Subscribers, Room: c.Members, Slots: c.Slots, Calls: c.Calls, Tabs: c.Tabs,
		Rounds: c.Rounds, Window: c.Window, Sample: c.Sample, Ramp: c.Ramp, Pin: c.Pin, Netem: c.Netem, Version: version(),
		Command: []string{self, "bench-target"}, Serve: []string{self, "serve"}, Media: load.DefaultMedia(),
		Progress: bench.Bar(os.Stderr, isTerminal(os.Stderr)),
	}
	if o.Media.Rate, err = load.ParseRate(c.Rate); err != nil {
		return o, fmt.Errorf("rate: %w", err)
	}
	o.Media.Codec, o.Media.FPS, o.Media.Size, o.Media.Pacing = c.Codec, c.FPS, c.Size, c.Pacing
	if len(c.Targets) > 0 && !c.Compare {
		return o, fmt.Errorf("%s: targets without a flag belong to --compare", strings.Join(c.Targets, " "))
	}
	if err := c.remote(&o); err != nil {
		return o, err
	}
	o.Targets = append(o.Targets, c.Targets...)
	if c.Compare && len(o.Targets) < 2 {
		return o, errors.New("--compare wants two targets, such as --compare carillon pion")
	}
	return o, nil
}

// remote adds the server that --server or --whip and --whep name.
func (c benchCmd) remote(o *bench.Options) error {
	var spec string
	switch {
	case c.Server != "" && c.Whip+c.Whep != "":
		return errors.New("--server is a Carillon, and --whip and --whep are any server: give one of them, or both as targets of --compare")
	case c.Server != "":
		spec = "server=" + c.Server
	case c.Whip != "" && c.Whep != "":
		spec = "whip=" + c.Whip + ",whep=" + c.Whep
	case c.Whip+c.Whep != "":
		return errors.New("--whip and --whep belong together: one publishes what the other watches")
	default:
		return nil
	}
	if c.Token != "" {
		spec += ",token=" + c.Token
	}
	if c.Pid != 0 {
		spec += fmt.Sprintf(",pid=%d", c.Pid)
	}
	o.Targets = append(o.Targets, spec)
	return nil
}

func (c benchCmd) write(found *report.Report) error {
	failed := []error{report.Table(os.Stdout, found)}
	if c.JSON != "" {
		b, err := json.MarshalIndent(found, "", "  ")
		failed = append(failed, err, writeFile(c.JSON, append(b, '\n')))
	}
	if c.CSV != "" {
		b, err := report.CSV(found)
		failed = append(failed, err, writeFile(c.CSV, b))
	}
	if c.HTML != "" {
		b, err := report.HTML(found)
		failed = append(failed, err, writeFile(c.HTML, b))
	}
	if c.Markdown != "" {
		failed = append(failed, writeFile(c.Markdown, report.Markdown(found)))
	}
	if c.SVG != "" {
		for name, b := range report.SVG(found) {
			failed = append(failed, writeFile(filepath.Join(c.SVG, name), b))
		}
	}
	return errors.Join(failed...)
}

func writeFile(name string, b []byte) error {
	if err := os.WriteFile(filepath.Clean(name), b, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// benchTargetCmd is a server that bench starts in another process.
type benchTargetCmd struct {
	Kind string `arg:""`
}

// Run serves until standard input ends, that is until bench is gone.
func (c benchTargetCmd) Run() error {
	return target.Serve(c.Kind, os.Stdin, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
}
