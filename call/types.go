package call

// Media is what a call was started as. A voice call can never show a picture
// before someone asks for it.
type Media string

const (
	Audio Media = "audio"
	Video Media = "video"
)

// State of a call: ringing → connecting → active → ended.
type State string

const (
	Ringing    State = "ringing"
	Connecting State = "connecting"
	Active     State = "active"
	Ended      State = "ended"
)

// ParticipantState of one user in a call.
type ParticipantState string

const (
	Invited      ParticipantState = "invited"
	Alerting     ParticipantState = "ringing" // a tab of theirs said that it rings
	Joining      ParticipantState = "joining"
	Joined       ParticipantState = "joined"
	Reconnecting ParticipantState = "reconnecting"
	Left         ParticipantState = "left"
	Declined     ParticipantState = "declined"
	Missed       ParticipantState = "missed"
	BusyState    ParticipantState = "busy"
	Failed       ParticipantState = "failed"
	Removed      ParticipantState = "removed"
)

// LegState of one tab's part in a call.
type LegState string

const (
	LegAnswering    LegState = "answering"
	LegUp           LegState = "up"
	LegReconnecting LegState = "reconnecting"
	LegReplaced     LegState = "replaced"
	LegClosed       LegState = "closed"
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

	// Per tab only: derived by the tab from the snapshot, never stored.
	AnsweredElsewhere Reason = "answered_elsewhere"
	DeclinedElsewhere Reason = "declined_elsewhere"
)

// Where says which tab of which device did something.
type Where struct {
	TabID      string `json:"tab"`
	Device     string `json:"device"`
	DeviceName string `json:"device_name"`
}

// LegView is the active leg of a participant, as everyone may see it. It holds no secret.
type LegView struct {
	ID    string   `json:"id"`
	State LegState `json:"state"`
	Where `tstype:",extends"`
}

// ParticipantView is one user in a call.
type ParticipantView struct {
	User       string           `json:"user"`
	Name       string           `json:"name"`
	State      ParticipantState `json:"state"`
	Microphone bool             `json:"microphone"` // on, not muted
	Camera     bool             `json:"camera"`     // on; what they want, whether held or not
	Held       bool             `json:"held,omitempty"`
	HandRaised bool             `json:"hand_raised,omitempty"`
	Leg        *LegView         `json:"leg,omitempty"`      // the active leg; none before an answer
	ActedAt    *Where           `json:"acted_at,omitempty"` // the tab that started, answered or declined
}

// Snapshot is a call as it is now. It is the whole truth: a client that keeps only
// the newest snapshot of each call (highest cseq) misses nothing.
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
	RemainingMS  int64             `json:"remaining_ms,omitempty"` // while someone is rung: until that times out, from At
	ActiveMS     int64             `json:"active_ms,omitempty"`    // active: how long already, from At
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
