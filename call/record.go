package call

// Record is a call as the database keeps it: who owns it now, what its machine needs to go on in
// another process, and what the conversation's history says of it.
type Record struct {
	ID           string
	ClientCallID string // chosen by the caller's tab; unique per caller
	Conversation string
	Caller       string
	Owner        string // the node that runs the machine
	Epoch        int64  // grows with each claim; a save under an earlier one is refused
	CSeq         int64  // of the machine in State
	Direct       bool   // a conversation of two, in which at most one call is live
	State        []byte // the machine, as JSON; holds digests of leg secrets, never leaves the server
	Log          Log    // the message of kind "call"
	CreatedAt    int64  // unix ms
	UpdatedAt    int64  // unix ms
}

// Live reports whether the call still runs.
func (r Record) Live() bool { return r.Log.State != Ended }

// Users are all participants, the caller among them.
func (r Record) Users() []string {
	users := make([]string, len(r.Log.Outcomes))
	for i, o := range r.Log.Outcomes {
		users[i] = o.User
	}
	return users
}

// Live is what is asked about all live calls, again and again: who owns one, who takes part, and
// the number of its latest change.
type Live struct {
	ID    string
	Owner string
	Epoch int64
	CSeq  int64
	Users []string
}
