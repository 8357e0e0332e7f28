// Carillon gives a website messages and calls from one binary: signaling, an SFU and a
// TURN server. This package is the command line and the wiring, bottom-up; what is wired
// is taken down in reverse.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"carillon/config"
	"carillon/doctor"
)

type cli struct {
	Serve   serveCmd   `cmd:"" default:"withargs" help:"Serve pages, messages, calls and TURN (the default)."`
	Doctor  doctorCmd  `cmd:"" help:"Check the configuration and the running server as a caller would."`
	Backup  backupCmd  `cmd:"" help:"Write all that is stored to one file, while the server serves."`
	Restore restoreCmd `cmd:"" help:"Put a backup into a data folder."`
	Health  healthCmd  `cmd:"" help:"Ask the running server whether it is ready, as a health check does."`
	Token   tokenCmd   `cmd:"" help:"Print a token for a user, as your site's backend would sign it."`
	Turn    turnCmd    `cmd:"" help:"Serve TURN alone, in place of coturn."`
	Bench   benchCmd   `cmd:"" help:"Measure what media costs, here and on other servers."`
	Version versionCmd `cmd:"" help:"Print the version."`

	BenchTarget benchTargetCmd `cmd:"" hidden:"" help:"A server that bench measures."`
}

// setup is what every command needs to find the configuration and the data folder.
type setup struct {
	Config string `help:"Configuration file (TOML). Every key can also be set as CARILLON_TABLE_KEY." placeholder:"FILE"`
	Data   string `help:"Data folder." placeholder:"DIR"`
}

func (f setup) load() (config.Config, error) {
	c, err := config.Load(f.Config, os.Environ())
	if f.Data != "" {
		c.Data = f.Data
	}
	return c, err
}

const description = `Messages and calls for your site, from one binary.

To try it, run it without a command and open the two links that it prints. For others than
yourself write a configuration file; docs/OPERATING.md says how.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	command := kong.Parse(&cli{},
		kong.Name("carillon"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		benchGroups,
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := command.Run(); err != nil {
		fmt.Fprintf(os.Stderr, "carillon: %s\n", printable(err))
		os.Exit(1)
	}
}

// printable is an error for a terminal. It may quote a file, or the answer of another program.
func printable(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = doctor.Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println(version())
	return nil
}

// version is the module's, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// newRegistry has what Go and the operating system say of the process.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

func newLogger(c config.Config) (*slog.Logger, error) {
	level, err := c.LogLevel()
	if err != nil {
		return nil, err
	}
	return slog.New(storageOnce{slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})}), nil
}

// closing closes a part of the program at its end. An error can only be logged by then.
func closing(log *slog.Logger, part string, end func() error) {
	if err := end(); err != nil {
		log.Warn("close", "part", part, "err", err)
	}
}
