package doctor

import (
	"context"
	"fmt"
	"time"
)

// checkCalls plays a caller of the running server: page, sign-in, media by UDP and TCP, relays.
// It also returns by how much the server's clock is ahead; nil: the server did not say.
func checkCalls(ctx context.Context, s Subject, server *running) ([]Finding, *time.Duration) {
	scheme, at := server.site()
	if !at.IsValid() {
		return []Finding{skipped("calls", "carillon (pid %d) does not say where it serves", server.pid)}, nil
	}
	name := ""
	if len(s.HTTP.ACME) > 0 {
		name = s.HTTP.ACME[0]
	}
	caller := NewCaller(scheme, at, name)
	ahead, took, err := caller.healthy(ctx)
	if err != nil {
		return []Finding{{
			"page", StatusProblem, fmt.Sprintf("%s does not answer as it should: %v", caller.site, err), "nobody can chat or call",
			"look into the log of carillon; restart it if it hangs",
		}}, ahead
	}
	all := []Finding{ok("page", "%s answers in %s", caller.site, took.Round(time.Millisecond))}
	if caller.Token, err = s.Mint(ctx, asUser, caller.Room, time.Minute); err != nil {
		all = append(all, skipped("media", "doctor cannot sign in as a caller: %v", err))
	} else if err := caller.Join(ctx); err != nil {
		all = append(all, Finding{
			"sign-in", StatusProblem, fmt.Sprintf("a token that was signed as configured does not open a call: %v", err),
			"nobody can sign in, or calls stay without sound and picture", "restart carillon if its configuration has changed since it started; else its log says more",
		})
	} else {
		defer caller.Leave(context.WithoutCancel(ctx))
		all = append(all, ok("sign-in", "a token signed as configured opens a call"))
		all = append(all, checkMedia(ctx, s, caller, server)...)
	}
	return append(all, checkRelays(ctx, s, caller, server)...), ahead
}
