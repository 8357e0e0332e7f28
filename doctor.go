package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"carillon/auth"
	"carillon/config"
	"carillon/doctor"
)

// doctorCmd looks at the configuration, this machine, and the carillon that runs on it with
// the eyes of a caller.
type doctorCmd struct {
	serveCmd
	JSON bool `name:"json" help:"Print the findings as JSON."`
}

// Help follows the summary in carillon doctor --help.
func (doctorCmd) Help() string {
	return `It checks whether each address can be bound, each certificate is good, and callers are told
addresses that they can reach. If a carillon runs with the same data folder, it also plays a
caller there: it signs in, asks the media port over UDP and TCP, and opens each relay. It
changes nothing. Beyond this machine it asks DNS for your host names, and the servers in
ice.urls.

Give it the same --config and flags as the server, and run it as the same user. A finding says
what callers suffer from and what to change. The exit status is 1 if there is a problem.`
}

// Run fails when there is a problem, not for warnings.
func (d doctorCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	found := d.examine(ctx)
	var err error
	if d.JSON {
		err = doctor.PrintJSON(os.Stdout, version(), found)
	} else {
		err = doctor.PrintText(os.Stdout, found)
	}
	if err != nil {
		return err
	}
	switch problems := doctor.Problems(found); problems {
	case 0:
		return nil
	case 1:
		return errors.New("1 problem")
	default:
		return fmt.Errorf("%d problems", problems)
	}
}

func (d doctorCmd) examine(ctx context.Context) []doctor.Finding {
	c, err := d.load()
	if err != nil {
		return []doctor.Finding{doctor.Unusable("configuration", err, "correct the line or the variable that is named")}
	}
	d.override(&c)
	folder, err := c.DataPath()
	if err != nil {
		return []doctor.Finding{doctor.Unusable("data", err, "set data")}
	}
	return doctor.Examine(ctx, subject(c, folder))
}

// subject is what doctor wants to know of a configuration.
func subject(c config.Config, folder string) doctor.Subject {
	return doctor.Subject{
		Invalid: c.Validate(), Exposed: c.Exposed(), Folder: folder, Demo: c.Auth.Demo(),
		HTTP:    doctor.HTTP{Listen: c.HTTP.Listen, Cert: c.HTTP.Cert, Key: c.HTTP.Key, ACME: c.HTTP.ACME},
		Private: c.Private.Listen, Media: c.Media, Turn: c.Turn, ICE: doctor.ICE{URLs: c.ICE.URLs, Secret: c.ICE.Secret},
		LeewaySeconds: c.Auth.LeewaySeconds,
		Mint: func(ctx context.Context, user, room string, ttl time.Duration) (string, error) {
			return mint(ctx, c, user, "", auth.Scope{Conversations: []string{room}}, ttl)
		},
		TurnSecret: func() (string, error) {
			secret, err := config.ReadSecret(folder, "turn")
			return string(secret), err
		},
	}
}
