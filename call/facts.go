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
	DoMove    FactKind = "move"    // this tab wants the leg of its user
	DoResume  FactKind = "resume"  // this tab has the secret of a leg whose session is gone
	DoSuspend FactKind = "suspend" // the page of this leg goes away, perhaps to come back
	DoSet     FactKind = "set"     // mute, camera, hold, hand
	DoOffer   FactKind = "offer"   // may this tab negotiate media for this leg?
	DoPhase   FactKind = "phase"   // is this leg this tab's, to tell how long it took?
)

// What the server finds out by itself.
const (
	MediaUp   FactKind = "media_up"   // the leg's transport is connected
	MediaDown FactKind = "media_down" // nothing comes from the leg any more
	TabGone   FactKind = "tab_gone"   // From.Session is over
	TabBack   FactKind = "tab_back"   // From.TabID has a new connection, From.Session; older ones of it are over
	Hold      FactKind = "hold"       // the user took part in another call, OtherCall, at Since
	UserBusy  FactKind = "busy"       // the user's policy says that they are busy
	Remove    FactKind = "remove"     // block, ban, revoked token; with From.Session only if it holds the leg
	Claimed   FactKind = "claimed"    // this server took the call over; its media starts anew
	Tick      FactKind = "tick"       // nothing but time
)

// Tab is who acts, and through which connection. The session is unguessable, the rest
// of it is what the tab says of itself.
type Tab struct {
	User    string `json:"user"`
	Session string `json:"session,omitempty"` // empty: none, or not known any more
	Since   int64  `json:"since,omitempty"`   // when that connection began, unix ns: of two of a tab the later one speaks for it
	Where
}

// Fact is one thing that happened, with what the kind needs. Randomness comes from
// outside: Fresh is used if the fact turns out to make a leg.
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

	// Arrived is when the owner got the fact, which it may look at later because it is busy.
	// What runs out in between does not count against the fact. Zero: just now.
	Arrived time.Time `json:"-"`
}

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

// Set changes what is given and leaves the rest.
type Set struct {
	Microphone *bool `json:"microphone,omitempty"`
	Camera     *bool `json:"camera,omitempty"`
	Held       *bool `json:"held,omitempty"`
	HandRaised *bool `json:"hand_raised,omitempty"`
}

// Fresh is the id and the secret of a leg to be.
type Fresh struct{ Leg, Secret string }

// Effect is what a fact led to, beside the new state of the call.
type Effect struct {
	Changed bool // to be stored, with a new cseq; false: nothing that outlives this process
	Ended   []LegEnd
	Reply   Reply
}

// Reply goes to the tab that asked.
type Reply struct {
	Snapshot Snapshot `json:"snapshot"`
	Leg      string   `json:"leg,omitempty"`    // of this tab from now on
	Secret   string   `json:"secret,omitempty"` // its secret, in the clear only here
	Merged   bool     `json:"merged,omitempty"` // glare: the start counted as an answer
	Moved    bool     `json:"moved,omitempty"`  // the start counted as a move
	HeldBy   Tab      `json:"held_by,omitzero"` // after leg_in_use: the connection that holds the leg; it may be dead without our knowing it yet
	Since    int64    `json:"since,omitempty"`  // when the user came to this call, unix ms; zero: not in it, or on hold
}

// LegEnd says that a leg is over and why.
type LegEnd struct {
	Leg    string
	Tab    Tab
	Reason Reason
}

// LegPass is what the room has to let a leg do.
type LegPass struct {
	Leg        string
	Tab        Tab  // Tab.Session is empty while its tab's connection is gone
	Active     bool // false: it is moving in, connected but neither heard nor seen
	Microphone bool // may be forwarded
	Camera     bool
}
