package signaling

import (
	"context"
	"encoding/json"

	"carillon/call"
	"carillon/refusal"
)

// noCalls is the call part of a node without media.
type noCalls struct{}

func (noCalls) handle(context.Context, origin, string, json.RawMessage) (any, error) {
	return nil, refusal.New(refusal.NotAllowed, "This server has no calls.")
}
func (noCalls) tabBack(context.Context, origin)                       {}
func (noCalls) tabGone(context.Context, origin)                       {}
func (noCalls) signedOut(context.Context, origin)                     {}
func (noCalls) live(context.Context, string) ([]call.Snapshot, error) { return nil, nil }
func (noCalls) close()                                                {}
