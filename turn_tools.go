package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"carillon/turn"
)

type turnCredentialsCmd struct {
	setup
	User   string        `required:"" placeholder:"USER" help:"Whom quotas and the usage log count."`
	TTL    time.Duration `name:"ttl" default:"24h" help:"How long it opens relays."`
	Secret string        `help:"The secret. Default: the first of turn.secrets."`
	JSON   bool          `name:"json" help:"Print JSON."`
}

// Run needs no running server.
func (t turnCredentialsCmd) Run() error {
	c, err := t.load()
	if err != nil {
		return err
	}
	if t.Secret == "" && len(c.Turn.Secrets) > 0 {
		t.Secret = c.Turn.Secrets[0]
	}
	if t.Secret == "" {
		return errors.New("turn.secrets is empty: set it, or give --secret. A server without secrets prints a credential when it starts")
	}
	name, password := turn.Credential(t.Secret, t.User, time.Now().Add(t.TTL))
	if t.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"username": name, "credential": password, "ttl": int(t.TTL.Seconds())})
	}
	fmt.Printf("username %s\ncredential %s\n", name, password)
	return nil
}

type turnTestCmd struct {
	setup
	URL      string `arg:"" help:"turn:HOST:PORT (UDP and TCP), turn:HOST:PORT?transport=udp or tcp, turns:HOST:PORT."`
	Username string `help:"With --credential, instead of a secret."`
	Password string `name:"credential" help:"Belongs to --username."`
	Secret   string `help:"Sign a credential with this secret. Default: the first of turn.secrets."`
	Packets  int    `default:"100" help:"How many packets to send, 50 a second."`
	Insecure bool   `help:"Accept any certificate."`
}

func (t turnTestCmd) Run(ctx context.Context) error {
	c, err := t.load()
	if err != nil {
		return err
	}
	if t.Secret == "" && len(c.Turn.Secrets) > 0 {
		t.Secret = c.Turn.Secrets[0]
	}
	if t.Username == "" {
		if t.Secret == "" {
			return errors.New("who asks? Give --username and --credential, or --secret")
		}
		t.Username, t.Password = turn.Credential(t.Secret, "carillon-test", time.Now().Add(10*time.Minute))
	}
	return t.probe(ctx, os.Stdout)
}

// probe reports per transport, and fails if one of them does not relay.
func (t turnTestCmd) probe(ctx context.Context, out io.Writer) error {
	var failed []error
	for _, url := range turn.Transports(t.URL) {
		p := turn.Probe{URL: url, Username: t.Username, Password: t.Password, Packets: t.Packets, Insecure: t.Insecure}
		r, err := p.Run(ctx)
		if err == nil && r.Received == 0 {
			err = fmt.Errorf("%s: relays open, but nothing passes from one to the other", url)
		}
		if err != nil {
			fmt.Fprintf(out, "%s  FAILED  %v\n", url, err)
			failed = append(failed, err)
			continue
		}
		fmt.Fprintf(out, "%s  open %s  rtt %s (worst %s)  jitter %s  loss %.1f %%  relays %s, %s\n", url,
			ms(r.Opening), ms(r.Median), ms(r.Worst), ms(r.Jitter), 100*float64(r.Sent-r.Received)/float64(r.Sent), r.Relays[0], r.Relays[1])
	}
	return errors.Join(failed...)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

type turnCheckPeerCmd struct {
	setup
	IP []string `arg:"" help:"Addresses, in any notation."`
}

func (t turnCheckPeerCmd) Run() error {
	c, err := t.load()
	if err != nil {
		return err
	}
	return checkPeers(c.Turn, t.IP, os.Stdout)
}

func checkPeers(c turn.Config, peers []string, out io.Writer) error {
	for _, text := range peers {
		a, err := netip.ParseAddr(strings.Trim(text, "[]"))
		if err != nil {
			return fmt.Errorf("%q is no IP address", text)
		}
		v, err := turn.CheckPeer(c, a)
		if err != nil {
			return err
		}
		word := "denied"
		if v.Allowed {
			word = "allowed"
		}
		fmt.Fprintf(out, "%s %s: %s\n", a, word, v.Rule)
	}
	return nil
}

type turnImportCmd struct {
	File string `arg:"" help:"turnserver.conf, or - for standard input."`
}

func (t turnImportCmd) Run() error {
	file := os.Stdin
	if t.File != "-" {
		var err error
		if file, err = os.Open(t.File); err != nil {
			return fmt.Errorf("read coturn configuration: %w", err)
		}
		defer file.Close()
	}
	return turn.ImportCoturn(file, os.Stdout)
}
