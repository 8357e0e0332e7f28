package call

import (
	"context"
	"errors"
)

// Record is a call as the database keeps it: who owns it now, what everybody may see
// of it, and what its machine needs to go on in another process.
type Record struct {
	ID           string
	ClientCallID string // chosen by the caller's tab; unique per caller
	Conversation string
	Caller       string
	Owner        string   // the node that runs the machine
	Epoch        int64    // grows with each claim; a save under an older one is fenced off
	Direct       bool     // one live call at most in this conversation
	Users        []string // all participants, the caller among them; they get the events
	Snapshot     Snapshot // Snapshot.State == Ended makes the call no longer live
	State        []byte   // the machine, as JSON; holds leg secrets, never leaves the server
	Log          Log      // the message of kind "call"
	CreatedAt    int64    // unix ms
	UpdatedAt    int64    // unix ms
}

// Live reports whether the call still runs.
func (r Record) Live() bool { return r.Snapshot.State != Ended }

// ErrFenced says that somebody else owns the call now. Whoever gets it stops at once
// and writes nothing more.
var ErrFenced = errors.New("call is owned by somebody else")

// Store keeps calls. Each write is one transaction, durable when it returns, and its
// events reach the participants' tabs through their logs, not through the caller.
type Store interface {
	// CreateCall inserts r and its log message, or changes nothing and returns the call
	// that stands in the way: the same caller and client call id, even if ended, else
	// the live call of the same direct conversation. The database decides, so two nodes
	// that start at once agree on the winner.
	CreateCall(ctx context.Context, r Record) (winner Record, created bool, err error)

	// SaveCall writes snapshot, state and log, and one event for each of r.Users. It
	// returns ErrFenced and changes nothing when r.Epoch is not the stored one. The log
	// message gets a new revision only if r.Log differs from the stored log.
	SaveCall(ctx context.Context, r Record) error

	// ClaimCall makes owner the owner of a live call if its epoch is still the given
	// one, and returns it with the next epoch. ErrFenced: somebody else was first, or
	// the call has ended.
	ClaimCall(ctx context.Context, id, owner string, epoch int64) (Record, error)

	// Call returns one call, live or ended; refusal.NotFound when there is none.
	Call(ctx context.Context, id string) (Record, error)

	// LiveCalls returns the live calls of a user, oldest first.
	LiveCalls(ctx context.Context, user string) ([]Record, error)

	// AllLive returns every live call, for a node that starts.
	AllLive(ctx context.Context) ([]Record, error)
}
