package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"carillon/client"
)

// carillonPaths says whether a target has more than WHIP and WHEP over UDP.
func (t targetSpec) carillonPaths() bool {
	return t.builtin && t.name == TargetCarillon || t.server != ""
}

// greet asks a running Carillon for its relays, as a tab would. It finds out early
// whether the server is there and the token good.
func (t *targetSpec) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, signalTimeout)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{
		URL:     "ws" + strings.TrimPrefix(t.server, "http") + "/ws",
		Token:   func(context.Context) (string, error) { return t.token, nil },
		Backoff: func(int) (time.Duration, bool) { return 0, false },
	})
	if err != nil {
		return fmt.Errorf("sign in to %s: %w", t.server, err)
	}
	defer c.Close()
	t.relays = relays{}
	for _, s := range c.Welcome().ICEServers {
		for _, u := range s.URLs {
			t.relays.add(u, s.Username, s.Credential)
		}
	}
	return nil
}
