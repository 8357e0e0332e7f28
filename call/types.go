package call

// Media is what a call was started as. A voice call can never show a picture
// before someone asks for it.
type Media string

const (
	Audio Media = "audio"
	Video Media = "video"
)

// State of a call.
type State string

const (
	// Ringing: the caller has a leg and nobody else has; at least one participant is rung.
	// The first answer ends it, and so do the last refusal, the ring's time, and a caller
	// who leaves or is gone for ten seconds.
	Ringing State = "ringing"
	// Connecting: somebody has answered, but two participants have not been joined at the
	// same time yet. It ends when they are, or when too few are left.
	Connecting State = "connecting"
	// Active: two participants have been joined at the same time, so the call's duration
	// counts. It ends when too few are left, by its greatest length, or by the server.
	Active State = "active"
	// Ended: the call has a reason and no legs. Nothing changes it any more.
	Ended State = "ended"
)

// ParticipantState of one user in a call.
type ParticipantState string

// Of those who are rung. An answer makes them Joining, the end of the ring Missed.
const (
	// Invited: no tab of the user has said yet that it shows the ring.
	Invited ParticipantState = "invited"
	// Alerting: a tab of the user shows the ring.
	Alerting ParticipantState = "ringing"
)

// Of those who are present, which means that they have a leg.
const (
	// Joining: the leg's media has never been up. It ends when the media is, or after the
	// time to connect; for the caller that time begins with the first answer.
	Joining ParticipantState = "joining"
	// Joined: the leg's media is up. It ends when the media is lost or its page suspends.
	Joined ParticipantState = "joined"
	// Reconnecting: media or connection were there and are lost. It ends when they are back
	// or after the grace time.
	Reconnecting ParticipantState = "reconnecting"
)

// Of those who are not in the call. Who starts a call again into which they were called
// joins it, except after Removed.
const (
	Left      ParticipantState = "left"     // was present, and hung up, was lost or saw the end of the call
	Declined  ParticipantState = "declined" // refused the ring
	Missed    ParticipantState = "missed"   // was rung to the end of the ring, or of the call
	BusyState ParticipantState = "busy"     // was not to be rung: they are busy, or the caller may not ring them
	Failed    ParticipantState = "failed"   // answered, and the media never came up
	Removed   ParticipantState = "removed"  // was taken out by the server
)

// LegState of one tab's part in a call. A leg that has ended has no state: no snapshot shows
// it, and its tab is told the reason.
type LegState string

const (
	// LegAnswering: the leg's media has never been up. It ends when the media is, or with
	// the time to connect or to move.
	LegAnswering LegState = "answering"
	// LegUp: the leg's media is up. It ends when the media is lost.
	LegUp LegState = "up"
	// LegReconnecting: the leg was up or bound to a connection, and is neither now. It ends
	// when its media is up, when a ringing caller's tab is bound to it again, or with the
	// grace time.
	LegReconnecting LegState = "reconnecting"
)

// Reason says why a call, or a user's part in it, ended. Stable strings.
type Reason string

const (
	Completed      Reason = "completed"
	Cancelled      Reason = "cancelled"
	DeclinedReason Reason = "declined"
	NoAnswer       Reason = "no_answer"
	Busy           Reason = "busy"
	Unreachable    Reason = "unreachable"
	Blocked        Reason = "blocked"
	NotAllowed     Reason = "not_allowed"
	MaxDuration    Reason = "max_duration"
	FailedMedia    Reason = "failed_media"
	FailedICE      Reason = "failed_ice"
	ConnectionLost Reason = "connection_lost"
	RemovedReason  Reason = "removed"
	Replaced       Reason = "replaced"
	Expired        Reason = "expired"
	ServerError    Reason = "server_error"

	// Of one tab's ring only: the tab derives them from the snapshot. They are never stored.
	AnsweredElsewhere Reason = "answered_elsewhere"
	DeclinedElsewhere Reason = "declined_elsewhere"
)

// Where says which tab of which device did something.
type Where struct {
	TabID      string `json:"tab"`
	Device     string `json:"device"`
	DeviceName string `json:"device_name"`
}

// LegView is the active leg of a participant, as their own tabs see it.
type LegView struct {
	ID    string   `json:"id"`
	State LegState `json:"state"`
	Where `tstype:",extends"`
}

// ParticipantView is one user in a call.
type ParticipantView struct {
	User       string           `json:"user"`
	Name       string           `json:"name"`
	Guest      bool             `json:"guest,omitempty"`
	State      ParticipantState `json:"state"`
	Microphone bool             `json:"microphone"` // on, not muted
	Camera     bool             `json:"camera"`     // on, as the user wants it, also while the call is on hold
	Held       bool             `json:"held,omitempty"`
	HandRaised bool             `json:"hand_raised,omitempty"`
	Leg        *LegView         `json:"leg,omitempty"`      // only of myself: the active leg; none before an answer
	ActedAt    *Where           `json:"acted_at,omitempty"` // only of myself: the tab that started, answered or declined
}

// Snapshot is a call at one moment. A client that keeps only the newest snapshot of each call
// (the highest cseq) misses nothing. What leaves the server is the part that [Snapshot.For]
// one participant shows.
type Snapshot struct {
	ID           string            `json:"id"`
	ClientCallID string            `json:"client_call_id"`
	Conversation string            `json:"conversation"`
	Caller       string            `json:"caller"`
	Media        Media             `json:"media"`
	State        State             `json:"state"`
	CSeq         int64             `json:"cseq"`  // grows with every change
	Epoch        int64             `json:"epoch"` // grows when a server takes the call over: its media starts anew, so make a new PeerConnection
	Participants []ParticipantView `json:"participants"`
	RemainingMS  int64             `json:"remaining_ms,omitempty"` // while someone is rung: until that times out; counts from when it was sent, see wire.CallChange
	ActiveMS     int64             `json:"active_ms,omitempty"`    // since it was active: how long already; counts like remaining_ms
	Reason       Reason            `json:"reason,omitempty"`       // ended
}

// Outcome is how a call went for one user, in the log message.
type Outcome struct {
	User  string           `json:"user"`
	State ParticipantState `json:"state"`
}

// Log is the data of the one message of kind "call" that a call leaves in its conversation.
type Log struct {
	Call       string    `json:"call"`
	Media      Media     `json:"media"`
	State      State     `json:"state"`
	Reason     Reason    `json:"reason,omitempty"`
	Outcomes   []Outcome `json:"outcomes"`
	DurationMS int64     `json:"duration_ms,omitempty"`
}

// Missed returns the users for whom the call counts as unread: those who missed it.
func (l Log) Missed() (users []string) {
	for _, o := range l.Outcomes {
		if o.State == Missed {
			users = append(users, o.User)
		}
	}
	return users
}
