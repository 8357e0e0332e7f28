package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/api"
	"carillon/config"
	"carillon/front"
	"carillon/turn"
)

// turnCmd is the TURN server alone, and its tools.
type turnCmd struct {
	Run         turnRunCmd         `cmd:"" default:"withargs" help:"Serve TURN alone (the default)."`
	Credentials turnCredentialsCmd `cmd:"" help:"Print a short-lived credential, as a site's backend would make it."`
	Test        turnTestCmd        `cmd:"" help:"Open two relays at a server, send from one to the other, and report."`
	CheckPeer   turnCheckPeerCmd   `cmd:"" name:"check-peer" help:"Say which rule decides whether a peer may be reached."`
	Import      turnImportCmd      `cmd:"" help:"Print a coturn configuration as ours."`
}

type turnRunCmd struct {
	setup
	Listen  []string `help:"Address for UDP and TCP (turn.udp, turn.tcp)." placeholder:"ADDR"`
	Private string   `help:"Address of metrics (private.listen)." placeholder:"ADDR"`
}

// Run serves until it is told to stop, then lets relays end for turn.drain_seconds.
func (t turnRunCmd) Run(ctx context.Context) error {
	c, err := t.load()
	if err != nil {
		return err
	}
	if len(t.Listen) > 0 {
		c.Turn.UDP, c.Turn.TCP = t.Listen, t.Listen
		c.SetBy("--listen", "turn.udp", "turn.tcp")
	}
	if t.Private != "" {
		c.Private.Listen = t.Private
		c.SetBy("--private", "private.listen")
	}
	log, err := newLogger(c)
	if err != nil {
		return err
	}
	return c.Locate(serveTurn(ctx, c.Turn, c.Private, log, os.Stdout))
}

// serveTurn prints a URL per line, a credential if nobody else can make one, and ready.
func serveTurn(ctx context.Context, c turn.Config, private config.Private, log *slog.Logger, out io.Writer) error {
	reg := newRegistry()
	server, err := turn.New(c, log, reg)
	if err != nil {
		return err
	}
	defer closing(log, "relays", server.Close)
	l, err := front.Listen("private.listen", private.Listen)
	if err != nil {
		return err
	}
	health := api.NewHealth(nil, nil)
	stopMetrics := serveMetrics(ctx, l, reg, health, private.Hosts, log)
	defer stopMetrics()
	for _, url := range server.URLs() {
		fmt.Fprintln(out, url)
	}
	if len(c.Secrets) == 0 && len(c.Users) == 0 {
		for _, s := range server.ICEServers("demo", time.Now()) {
			if s.Username != "" {
				fmt.Fprintf(out, "username %s\ncredential %s\n", s.Username, s.Credential)
			}
		}
	}
	fmt.Fprintf(out, "metrics http://%s/metrics\nready\n", l.Addr())
	<-ctx.Done()
	health.Drain()
	log.Info("turn drains", "relays", server.Relays(), "seconds", c.Drain().Seconds())
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Drain())
	defer cancel()
	if err := server.Drain(finish); err != nil {
		log.Warn("relays cut off", "err", err)
	}
	return nil
}

// serveMetrics serves what operators read until the returned function is called.
func serveMetrics(ctx context.Context, l net.Listener, reg *prometheus.Registry, health *api.Health, hosts []string, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // also while relays drain
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := front.Serve(ctx, l, api.Private(reg, health, hosts, log), log); err != nil {
			log.Warn("private listener", "err", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
