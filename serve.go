package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"carillon/api"
	"carillon/auth"
	"carillon/bus"
	"carillon/chat"
	"carillon/config"
	"carillon/doctor"
	"carillon/front"
	"carillon/limit"
	"carillon/preview"
	"carillon/sfu"
	"carillon/signaling"
	"carillon/store"
	"carillon/switchboard"
	"carillon/web"
	"carillon/wire"
)

type serveCmd struct {
	setup
	Listen  string `help:"HTTP address (http.listen)." placeholder:"ADDR"`
	Media   string `help:"Media address, UDP and TCP (media.listen)." placeholder:"ADDR"`
	Turn    string `help:"TURN address, UDP and TCP (turn.udp, turn.tcp)." placeholder:"ADDR"`
	Private string `help:"Address of metrics and profiles (private.listen)." placeholder:"ADDR"`
}

// Run serves until it is told to stop.
func (s serveCmd) Run(ctx context.Context) error {
	c, err := s.load()
	if err != nil {
		return err
	}
	s.override(&c)
	if err := c.Validate(); err != nil {
		return err
	}
	log, err := newLogger(c)
	if err != nil {
		return err
	}
	if exposed := c.Exposed(); len(exposed) > 0 {
		log.Warn("every user of this machine may read secrets in the configuration file; chmod o-r it, or set them in the environment", "keys", exposed)
	}
	return c.Locate(serve(ctx, c, log, os.Stdout))
}

func (s serveCmd) override(c *config.Config) {
	if s.Listen != "" {
		c.HTTP.Listen = s.Listen
		c.SetBy("--listen", "http.listen")
	}
	if s.Media != "" {
		c.Media.Listen = s.Media
		c.SetBy("--media", "media.listen")
	}
	if s.Turn != "" {
		c.Turn.UDP, c.Turn.TCP = []string{s.Turn}, []string{s.Turn}
		c.SetBy("--turn", "turn.udp", "turn.tcp")
	}
	if s.Private != "" {
		c.Private.Listen = s.Private
		c.SetBy("--private", "private.listen")
	}
}

// serve wires everything from the ground up and takes it down in reverse.
func serve(ctx context.Context, c config.Config, log *slog.Logger, out io.Writer) error {
	folder, err := c.DataPath()
	if err != nil {
		return err
	}
	reg := newRegistry()

	var changes delivery
	c.Store.Folder = folder
	db, err := store.Open(ctx, c.Store, log, changes.deliver)
	if err != nil {
		return err
	}
	defer closing(log, "database", db.Close)
	if err := db.Register(reg); err != nil {
		return err
	}

	proxies, err := c.HTTP.Proxies()
	if err != nil {
		return fmt.Errorf("http.%w", err)
	}
	public, err := openFront(ctx, c.HTTP, proxies, filepath.Join(folder, "acme"), log, reg)
	if err != nil {
		return err
	}
	defer public.Close()
	share(&c, public)
	private, err := front.Listen("private.listen", c.Private.Listen)
	if err != nil {
		return err
	}
	defer private.Close()

	media, err := sfu.New(c.Media, log, reg)
	if err != nil {
		return fmt.Errorf("media.listen: %w", err)
	}
	defer closing(log, "media", media.Close)
	relays, err := embeddedTURN(c.Turn, folder, media, c.Media.Advertise, log, reg)
	if err != nil {
		return err
	}
	if relays != nil {
		defer closing(log, "relays", relays.Close)
	}

	c.Bus.Database = db.Database()
	messageBus, err := bus.Open(c.Bus, log)
	if err != nil {
		return err
	}
	defer messageBus.Close()
	own := []byte(c.Auth.Secret)
	if len(own) == 0 {
		if own, err = config.Secret(folder, "auth"); err != nil {
			return err
		}
	}
	verifier, err := auth.NewVerifier(ctx, c.Auth, own, db.Revoked, log)
	if err != nil {
		return err
	}
	limit.Register(reg, verifier.Counts()...)
	c.Chat.Reach = c.Reach
	if c.Auth.Demo() && len(c.Chat.Reach.Known) == 0 {
		c.Chat.Reach.Known = []string{"*"} // the demo writes to bob before he has come
	}
	messages := chat.New(db, c.Chat)
	limit.Register(reg, messages.Counts()...)
	_, mediaTCP := media.Addresses()
	taken := append(listening(public.HTTP().Addr(), private.Addr()), mediaTCP)
	if relays != nil {
		taken = append(taken, portsOf(relays.URLs())...)
	}
	links, err := linkPreviews(c, db, messages, taken, log, reg)
	if err != nil {
		return err
	}
	defer closing(log, "previews", links.Close)
	uploads, err := openFiles(c, folder, db, messages, log, reg)
	if err != nil {
		return err
	}
	defer closing(log, "files", uploads.Close)
	door := switchboard.NewDoor(media, switchboard.Members(messages))
	board := switchboard.New(switchboard.Deps{
		Store: db, Chat: messages, Bus: messageBus, Door: door, Config: c.Call, Log: log, Metrics: reg,
	})
	defer board.Close()
	ice := iceServers(relays, c.ICE)
	node, err := signaling.New(signaling.Deps{
		Chat: messages, Bus: messageBus, Verify: verifier.Verify, Revoked: db,
		Attempts: verifier.Attempts(), Calls: board, Previews: links, Files: uploads, ICEServers: ice, Limits: limits(c), Version: version(), Log: log, Metrics: reg,
	}, c.Signaling)
	if err != nil {
		return err
	}
	defer closeNode(ctx, node)
	changes.connect(node.Deliver)

	who := api.Bearer(verifier.VerifyFrom, node.MayAsk)
	streams := api.NewWHIP(api.Rooms{Door: door}, who, ice, log)
	streams.Revoked = db.Revoked
	defer closing(log, "WHIP and WHEP", streams.Close)

	health := api.NewHealth(func(ctx context.Context) string { return string(db.Trouble(ctx)) }, messageBus.Connected)
	mux := http.NewServeMux()
	mux.Handle("/whip/", streams.Handler())
	mux.Handle("/whep/", streams.Handler())
	mux.Handle("/ws", node)
	mux.Handle(preview.Path, links.Handler())
	mux.Handle("/files/", filesFor(c.Signaling.Origins, uploads.Handler(who)))
	mux.Handle("/api/v1/guests", api.AllowOrigins(c.Signaling.Origins, api.Allowed{Methods: "POST", Headers: "Content-Type"}, verifier.GuestHandler(log)))
	if c.Auth.Demo() {
		mux.Handle("/demo/token", verifier.DemoHandler(log))
	}
	health.Mount(mux)
	mux.Handle("/", web.Handler())

	var lines bytes.Buffer
	announce(&lines, public, private.Addr(), media, relays, folder, c.Auth.Demo())
	if err := doctor.NoteRunning(folder, lines.Bytes()); err != nil {
		return err
	}
	_, _ = out.Write(lines.Bytes()) // nobody may be reading
	pages := proxies.Reveal(mux)
	if public.Secure() {
		pages = front.StrictTransport(pages)
	}
	if c.Auth.Demo() {
		pages = front.OnThisMachine(pages, log)
	}
	return run(drained(ctx, time.Duration(c.HTTP.DrainSeconds)*time.Second, health.Drain),
		func(ctx context.Context) error { return front.Serve(ctx, public.HTTP(), pages, log) },
		func(ctx context.Context) error {
			return front.Serve(ctx, private, api.Private(reg, health, c.Private.Hosts, log), log)
		},
		func(ctx context.Context) error {
			select {
			case err := <-messageBus.Refused():
				return err
			case <-ctx.Done():
				return nil
			}
		},
		func(ctx context.Context) error {
			<-ctx.Done()
			closeNode(ctx, node) // at once: tabs wait for no request of others
			return nil
		},
	)
}

// run lets the listeners serve until ctx ends or one of them fails.
func run(ctx context.Context, serving ...func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var work sync.WaitGroup
	for _, f := range serving {
		work.Go(func() {
			if err := f(ctx); err != nil {
				stop(err)
			}
		})
	}
	work.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// drained is a context that ends when ctx has ended and the time to drain has passed since. In
// between everything is served as before, but draining was called: who asks /readyz sends new tabs
// elsewhere.
func drained(ctx context.Context, grace time.Duration, draining func()) context.Context {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		draining()
		time.AfterFunc(grace, stop)
	})
	return serving
}

// shutdownTime is how long tabs have to be told that they shall come back, and to get answers
// to what they asked.
const shutdownTime = 5 * time.Second

func closeNode(ctx context.Context, node *signaling.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	node.Close(ctx)
}

// delivery takes what commits changed from the store to signaling, which is built after it. What
// is committed before they are connected reaches no tab: none is there.
type delivery struct {
	to atomic.Pointer[func([]chat.Told)]
}

func (d *delivery) deliver(all []chat.Told) {
	if to := d.to.Load(); to != nil {
		(*to)(all)
	}
}

func (d *delivery) connect(to func([]chat.Told)) { d.to.Store(&to) }

// limits are what clients are told at hello.
func limits(c config.Config) wire.Limits {
	l := wire.Limits{MessageBytes: c.Chat.MessageBytes, ObjectBytes: c.Chat.ObjectBytes, PageSize: c.Chat.PageSize}
	if placeOfFiles(c, "").Closed() == "" {
		l.FileBytes = c.Files.Quota.FileBytes
	}
	return l
}
