package target

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"carillon/client"
)

// Spec says which server is measured: a built-in target, a Carillon that runs already, or any
// server with WHIP and WHEP.
type Spec struct {
	Name       string
	BuiltIn    bool
	Server     string  // URL of a running Carillon
	Relays     []Relay // of it
	WHIP, WHEP string
	Token      string
	PID        int
}

// ParseSpec reads carillon, pion, server=URL, or whip=URL,whep=URL, the latter two with further
// parts token=T, pid=N and name=X.
func ParseSpec(text string) (Spec, error) {
	if text == Carillon || text == Pion {
		return Spec{Name: text, BuiltIn: true}, nil
	}
	var t Spec
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return t, fmt.Errorf("target %q: want carillon, pion, server=URL, or whip=URL,whep=URL", text)
		}
		switch key {
		case "server":
			t.Server = strings.TrimSuffix(value, "/")
		case "whip":
			t.WHIP = value
		case "whep":
			t.WHEP = value
		case "token":
			t.Token = value
		case "name":
			t.Name = value
		case "pid":
			if _, err := fmt.Sscan(value, &t.PID); err != nil || t.PID < 1 {
				return t, fmt.Errorf("target %q: pid %q is no process", text, value)
			}
		default:
			return t, fmt.Errorf("target %q: there is no %q; want server, whip, whep, token, name, pid", text, key)
		}
	}
	if t.Server != "" {
		if t.WHIP+t.WHEP != "" {
			return t, fmt.Errorf("target %q: server has a whip and a whep of its own", text)
		}
		t.WHIP, t.WHEP = t.Server+"/whip/bench", t.Server+"/whep/bench"
	}
	if t.WHIP == "" || t.WHEP == "" {
		return t, fmt.Errorf("target %q: both whip and whep are needed", text)
	}
	for _, u := range []string{t.WHIP, t.WHEP} {
		parsed, err := url.Parse(u)
		if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			return t, fmt.Errorf("target %q: %q is no http or https URL", text, u)
		}
		if t.Name == "" {
			t.Name = parsed.Host
		}
	}
	return t, nil
}

// HasAllPaths says whether the target has more than WHIP and WHEP over UDP, that is, whether it
// is a Carillon.
func (t Spec) HasAllPaths() bool {
	return t.BuiltIn && t.Name == Carillon || t.Server != ""
}

const greetTimeout = 15 * time.Second

// Greet asks a running Carillon for its relays, as a tab would. It finds out early
// whether the server is there and the token good.
func (t *Spec) Greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{
		URL:     "ws" + strings.TrimPrefix(t.Server, "http") + "/ws",
		Token:   func(context.Context) (string, error) { return t.Token, nil },
		Backoff: func(int) (time.Duration, bool) { return 0, false },
	})
	if err != nil {
		return fmt.Errorf("sign in to %s: %w", t.Server, err)
	}
	defer c.Close()
	t.Relays = nil
	for _, s := range c.Welcome().ICEServers {
		for _, u := range s.URLs {
			t.Relays = append(t.Relays, Relay{u, s.Username, s.Credential})
		}
	}
	return nil
}
