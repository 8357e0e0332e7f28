package call

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// stateVersion of the stored machine. A server that reads another one ends the call
// rather than guess.
const stateVersion = 1

// Encode returns the machine as JSON. Who is connected is not in it: that does not
// outlive the process.
func (c Call) Encode() []byte {
	data, err := json.Marshal(c.s)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return data
}

// Decode reads what [Call.Encode] wrote. Anything that cannot be a call is an error.
func Decode(data []byte, cfg Config) (Call, error) {
	c := Call{patience: cfg.patience()}
	if err := json.Unmarshal(data, &c.s); err != nil {
		return Call{}, fmt.Errorf("decode call: %w", err)
	}
	if err := c.s.check(); err != nil {
		return Call{}, fmt.Errorf("decode call %q: %w", c.s.ID, err)
	}
	return c, nil
}

// check is what is true of every call at every moment.
func (s *state) check() error {
	if s.Version != stateVersion {
		return fmt.Errorf("its version is %d, not %d", s.Version, stateVersion)
	}
	switch {
	case s.ID == "" || s.Conversation == "":
		return errors.New("it has no id or no conversation")
	case s.Media != Audio && s.Media != Video:
		return fmt.Errorf("its media are %q", s.Media)
	case !slices.Contains([]State{Ringing, Connecting, Active, Ended}, s.State):
		return fmt.Errorf("its state is %q", s.State)
	case len(s.Participants) < 2:
		return errors.New("it needs two participants")
	case s.Direct && len(s.Participants) != 2:
		return fmt.Errorf("it is direct and has %d participants", len(s.Participants))
	case (s.State == Ended) != (s.Reason != ""):
		return errors.New("it has a reason exactly when it has ended")
	case s.State == Ended && s.RingUntil != 0:
		return errors.New("it has ended and rings")
	}
	return s.checkParticipants()
}

func (s *state) checkParticipants() error {
	seen := map[string]bool{}
	caller, pending := false, false
	for i := range s.Participants {
		p := &s.Participants[i]
		if p.User == "" || seen[p.User] {
			return fmt.Errorf("user %q takes part twice or has no id", p.User)
		}
		seen[p.User] = true
		caller = caller || p.User == s.Caller
		pending = pending || p.pending()
		if err := p.check(s.State == Ended); err != nil {
			return fmt.Errorf("user %q: %w", p.User, err)
		}
		if s.State == Ringing && (p.User == s.Caller) != p.present() {
			return errors.New("it rings and somebody has answered, or the caller is gone")
		}
	}
	switch {
	case !caller:
		return errors.New("its caller takes no part")
	case pending != (s.RingUntil != 0):
		return errors.New("somebody is rung without end, or nobody")
	}
	return nil
}

func (p *participant) check(ended bool) error {
	known := []ParticipantState{Invited, Alerting, Joining, Joined, Reconnecting, Left, Declined, Missed, BusyState, Failed, Removed}
	switch {
	case !slices.Contains(known, p.State):
		return fmt.Errorf("state %q", p.State)
	case ended && (p.pending() || p.present()):
		return fmt.Errorf("%s in a call that has ended", p.State)
	case p.present() != (p.Leg != nil):
		return fmt.Errorf("%s with a wrong number of legs", p.State)
	case p.Moving != nil && p.Leg == nil:
		return errors.New("moves from nowhere")
	case p.Moving != nil && p.Moving.ID == p.Leg.ID:
		return errors.New("moves into itself")
	}
	for _, l := range []*leg{p.Leg, p.Moving} {
		if l != nil && (l.ID == "" || l.Digest == "" || !slices.Contains([]LegState{LegAnswering, LegUp, LegReconnecting}, l.State)) {
			return fmt.Errorf("leg %q without id or secret, or %q", l.ID, l.State)
		}
	}
	return nil
}
