package switchboard

import (
	"context"
	"errors"
	"time"

	"carillon/call"
)

// ErrFenced says that somebody else owns the call now. Whoever gets it stops at once
// and writes nothing more.
var ErrFenced = errors.New("call is owned by somebody else")

// Store keeps calls. Each write is one transaction, durable when it returns. What tabs are told of
// the call itself is up to its owner; the store tells them of its message in the conversation.
type Store interface {
	// CreateCall inserts r and its log message, or changes nothing and returns the call
	// that stands in the way: the same caller and client call id, even if ended, else
	// the live call of the same direct conversation. The database decides, so two nodes
	// that start at once agree on the winner.
	CreateCall(ctx context.Context, r call.Record) (winner call.Record, created bool, err error)

	// SaveCall writes state and log. It returns ErrFenced and changes nothing when r.Epoch is
	// not the stored one. The log message gets a new revision only if r.Log differs from the
	// stored log.
	SaveCall(ctx context.Context, r call.Record) error

	// ClaimCall makes owner the owner of a live call if its epoch is still the given
	// one, and returns it with the next epoch. ErrFenced: somebody else was first, or
	// the call has ended.
	ClaimCall(ctx context.Context, id, owner string, epoch int64) (call.Record, error)

	// Call returns one call, live or ended; refusal.NotFound when there is none.
	Call(ctx context.Context, id string) (call.Record, error)

	// LiveCalls returns the live calls of a user, oldest first.
	LiveCalls(ctx context.Context, user string) ([]call.Record, error)

	// KeepNode notes that a node lives for so long at least, from now on by the database's clock; EndNode
	// that it has ended. NodeLives reports whether a node has said that it lives until now at least.
	KeepNode(ctx context.Context, node string, lasts time.Duration) error
	EndNode(ctx context.Context, node string) error
	NodeLives(ctx context.Context, node string) (bool, error)

	// AllLive returns what all nodes ask about every live call, again and again.
	AllLive(ctx context.Context) ([]call.Live, error)
}
