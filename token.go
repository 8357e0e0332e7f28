package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"carillon/auth"
	"carillon/config"
)

// tokenCmd signs a user in from the command line, to try things.
type tokenCmd struct {
	setup
	User string        `required:"" placeholder:"USER" help:"The user who signs in with it."`
	Name string        `placeholder:"NAME" help:"The name that others see."`
	TTL  time.Duration `name:"ttl" default:"1h" help:"How long it is valid."`

	Grants        []string `placeholder:"GRANT" help:"Narrow it to these: publish, watch."`
	Conversations []string `placeholder:"ID" help:"Narrow it to these conversations, or to these rooms of WHIP and WHEP."`
}

// Run needs no running server: it reads the keys that the server reads.
func (t tokenCmd) Run(ctx context.Context) error {
	c, err := t.load()
	if err != nil {
		return err
	}
	token, err := mint(ctx, c, t.User, t.Name, auth.Scope{Grants: t.Grants, Conversations: t.Conversations}, t.TTL)
	if err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}

func mint(ctx context.Context, c config.Config, user, name string, to auth.Scope, ttl time.Duration) (string, error) {
	own := []byte(c.Auth.Secret)
	if len(own) == 0 && c.Auth.Demo() {
		path, err := c.DataPath()
		if err != nil {
			return "", err
		}
		if own, err = config.ReadSecret(path, "auth"); err != nil {
			return "", err
		}
	}
	v, err := auth.NewVerifier(ctx, c.Auth, own, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return v.MintNarrowed(user, name, to, ttl)
}
