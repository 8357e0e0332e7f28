package call

import "time"

// FactKind names something that happened to a call.
type FactKind string

// What users ask for, each from one tab of theirs.
const (
	DoStart   FactKind = "start"   // a start that found this call in its way: repeat, glare, move or join
	DoRinging FactKind = "ringing" // this tab shows the ring
	DoAnswer  FactKind = "answer"
	DoDecline FactKind = "decline"
	DoLeave   FactKind = "leave"
	DoMove    FactKind = "move"    // this tab wants to take over from another tab of its user
	DoResume  FactKind = "resume"  // this tab has the secret of a leg whose connection has ended
	DoSuspend FactKind = "suspend" // the page of this leg goes away, perhaps to come back
	DoSet     FactKind = "set"     // mute, camera, hold, hand
	DoOffer   FactKind = "offer"   // this tab wants to negotiate media for its leg
	DoPhase   FactKind = "phase"   // this tab tells how long a phase of its leg took
)

// What the server finds out by itself.
const (
	MediaUp   FactKind = "media_up"   // the leg's transport is connected
	MediaDown FactKind = "media_down" // nothing comes from the leg any more
	TabGone   FactKind = "tab_gone"   // the connection From.Session has ended
	TabBack   FactKind = "tab_back"   // the tab has a new connection, From.Session; its earlier ones have ended
	Hold      FactKind = "hold"       // the user took part in another call, OtherCall, at Since
	UserBusy  FactKind = "busy"       // the user's policy says that they are busy
	Remove    FactKind = "remove"     // block, ban, revoked token; with From.Session only if the leg is bound to it
	Claimed   FactKind = "claimed"    // this server has taken the call over; all media starts anew
	Tick      FactKind = "tick"       // time has passed, and nothing else has happened
)

// Tab is who acts: one open page of a user, and the connection through which it speaks.
// The server knows User, Session and Since; Where is what the tab says of itself. A tab
// has one connection at a time: of two with the same TabID the later one counts.
type Tab struct {
	User    string `json:"user"`
	Session string `json:"session,omitempty"` // names the connection, unguessable and new with each; empty: none, or it has ended
	Since   int64  `json:"since,omitempty"`   // when the connection began, unix ns by the clock of its node
	Where
}

// Fact is one thing that happened. It has the fields that its kind needs. Randomness comes
// from outside: Fresh is used if the fact makes a leg or gives one a new secret.
type Fact struct {
	Kind         FactKind `json:"kind"`
	From         Tab      `json:"from"`
	ClientCallID string   `json:"client_call_id,omitempty"` // start
	Camera       bool     `json:"camera,omitempty"`         // start, answer: is it on?
	Leg          string   `json:"leg,omitempty"`            // resume, suspend, offer, media
	Secret       string   `json:"secret,omitempty"`         // resume, suspend, offer
	Set          Set      `json:"set,omitzero"`
	Epoch        int64    `json:"epoch,omitempty"`      // claimed
	OtherCall    string   `json:"other_call,omitempty"` // hold
	Since        int64    `json:"since,omitempty"`      // hold
	Fresh        Fresh    `json:"-"`                    // made by the owner, never taken from a request

	// Arrived is when the owner got the fact. A busy owner looks at it later, and what runs
	// out in between does not count against it. Zero: just now.
	Arrived time.Time `json:"-"`
}

// arrived is Arrived in unix ms, at most now.
func (f Fact) arrived(now int64) int64 {
	if f.Arrived.IsZero() {
		return now
	}
	return min(now, f.Arrived.UnixMilli())
}

// binds reports whether the fact gives a leg to the connection that it comes from.
func (f Fact) binds() bool {
	switch f.Kind {
	case DoStart, DoAnswer, DoMove, DoResume, DoOffer:
		return true
	}
	return false
}

// Set changes the fields that are given and leaves the others.
type Set struct {
	Microphone *bool `json:"microphone,omitempty"`
	Camera     *bool `json:"camera,omitempty"`
	Held       *bool `json:"held,omitempty"`
	HandRaised *bool `json:"hand_raised,omitempty"`
}

// Fresh is the id and the secret for a new leg, or the new secret for an old one.
type Fresh struct{ Leg, Secret string }

// Effect is what a fact led to, beside the new state of the call.
type Effect struct {
	Changed bool // there is something to store, under a new cseq
	Ended   []LegEnd
	Reply   Reply
}

// Reply goes to the tab that asked.
type Reply struct {
	Snapshot Snapshot `json:"snapshot"`
	Leg      string   `json:"leg,omitempty"`     // the leg that the tab has from now on
	Secret   string   `json:"secret,omitempty"`  // of the leg; it is nowhere else in the clear
	Merged   bool     `json:"merged,omitempty"`  // glare: the start counted as an answer
	Moved    bool     `json:"moved,omitempty"`   // the start counted as a move
	BoundTo  Tab      `json:"bound_to,omitzero"` // after leg_in_use: the connection to which the leg is bound; it may have ended without the server's knowing it yet
	Told     int      `json:"told,omitempty"`    // how many are told what the request has changed; set by the owner
	Since    int64    `json:"since,omitempty"`   // when the user came to this call, unix ms; zero: they are not in it, or it is on hold
}

// LegEnd says that a leg has ended, and why.
type LegEnd struct {
	Leg    string
	Tab    Tab
	Reason Reason
}

// LegPass is what the room has to allow a leg.
type LegPass struct {
	Leg        string
	Tab        Tab  // its Session is empty while the leg is bound to no connection
	Active     bool // false: the leg is on hold, or moves in: connected, but neither heard nor seen
	Microphone bool // its sound may be forwarded
	Camera     bool // its picture may be forwarded
}
