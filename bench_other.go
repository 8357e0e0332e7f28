//go:build !linux

package main

import (
	"errors"

	"github.com/alecthomas/kong"
)

// benchCmd says that the benchmark runs elsewhere: it reads packets, their time stamps and
// processor time in ways that only Linux has.
type benchCmd struct {
	Arguments []string `arg:"" optional:"" passthrough:"" help:"Needs Linux."`
}

func (benchCmd) Run() error {
	return errors.New("carillon bench needs Linux; to measure a server on this machine, run it on another and name this one with --server or --whip and --whep")
}

// benchGroups are none: the command has no flags.
var benchGroups = kong.ExplicitGroups(nil)

type benchTargetCmd struct{}

func (benchTargetCmd) Run() error { return benchCmd{}.Run() }
