package signaling

import (
	"context"
	"encoding/json"

	"carillon/call"
	"carillon/chat"
)

// origin is the tab that something comes from. Session is new with every hello: when a
// page reconnects, the end of its old session may be told after the begin of the new one.
type origin struct {
	User    chat.User
	Where   call.Where
	Session string
}

// callPart is what sessions need of the calls on this node. Its methods may be called at
// the same time for different tabs; those of one tab come in order.
type callPart interface {
	// handle answers the requests call.* and leg.* and takes the notification leg.suspend.
	// The result is marshalled as it is.
	handle(ctx context.Context, from origin, method string, params json.RawMessage) (any, error)

	// tabBack is called at hello, before the calls of the welcome are read.
	tabBack(ctx context.Context, from origin)

	// tabGone is called when a tab's connection has ended, whatever the reason, unless a
	// newer one of the same tab on this node has taken its place.
	tabGone(ctx context.Context, from origin)

	// signedOut is called, before tabGone, when the session was ended by sign-out.
	signedOut(ctx context.Context, from origin)

	// live returns the calls of a user that have not ended.
	live(ctx context.Context, user string) ([]call.Snapshot, error)

	// close is called when all tabs have gone.
	close()
}

// channel is a call's reliable data channel, as the SFU hands it up.
type channel interface {
	ReadMessage() ([]byte, error)
	WriteMessage([]byte) error
	Close() error
}
