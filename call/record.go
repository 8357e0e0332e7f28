package call

// Record is a call as the database keeps it: who owns it now, what everybody may see
// of it, and what its machine needs to go on in another process.
type Record struct {
	ID           string
	ClientCallID string // chosen by the caller's tab; unique per caller
	Conversation string
	Caller       string
	Owner        string   // the node that runs the machine
	Epoch        int64    // grows with each claim; a save under an earlier one is refused
	Direct       bool     // a conversation of two, in which at most one call is live
	Users        []string // all participants, the caller among them; they get the events
	Snapshot     Snapshot // with what every participant may see; the call is live until Snapshot.State is Ended
	State        []byte   // the machine, as JSON; holds leg secrets, never leaves the server
	Log          Log      // the message of kind "call"
	CreatedAt    int64    // unix ms
	UpdatedAt    int64    // unix ms
}

// Live reports whether the call still runs.
func (r Record) Live() bool { return r.Snapshot.State != Ended }
