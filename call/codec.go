package call

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// stateVersion is the version of what [Call.Encode] writes. A server that reads another
// one ends the call instead of guessing what it means.
const stateVersion = 1

// Encode returns the machine as JSON, without what only this process knows, like who is
// connected.
func (c Call) Encode() []byte {
	data, err := json.Marshal(c.data)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return data
}

// Decode reads what [Call.Encode] wrote. Anything that cannot be a call is an error.
func Decode(data []byte, cfg Config) (Call, error) {
	c := Call{durations: cfg.durations()}
	if err := json.Unmarshal(data, &c.data); err != nil {
		return Call{}, fmt.Errorf("decode call: %w", err)
	}
	if err := c.data.check(); err != nil {
		return Call{}, fmt.Errorf("decode call %q: %w", c.data.ID, err)
	}
	return c, nil
}

// check says what is wrong with a call. It is true of every call at every moment that
// nothing is.
func (d *data) check() error {
	if d.Version != stateVersion {
		return fmt.Errorf("its version is %d, not %d", d.Version, stateVersion)
	}
	switch {
	case d.ID == "" || d.Conversation == "":
		return errors.New("it has no id or no conversation")
	case d.Media != Audio && d.Media != Video:
		return fmt.Errorf("its media are %q", d.Media)
	case !slices.Contains([]State{Ringing, Connecting, Active, Ended}, d.State):
		return fmt.Errorf("its state is %q", d.State)
	case len(d.Participants) < 2:
		return errors.New("it needs two participants")
	case d.Direct && len(d.Participants) != 2:
		return fmt.Errorf("it is direct and has %d participants", len(d.Participants))
	case (d.State == Ended) != (d.Reason != ""):
		return errors.New("it has a reason exactly when it has ended")
	case d.State == Ended && d.RingUntil != 0:
		return errors.New("it has ended and rings")
	}
	return d.checkParticipants()
}

func (d *data) checkParticipants() error {
	seen := map[string]bool{}
	caller, pending := false, false
	for i := range d.Participants {
		p := &d.Participants[i]
		if p.User == "" || seen[p.User] {
			return fmt.Errorf("user %q takes part twice or has no id", p.User)
		}
		seen[p.User] = true
		caller = caller || p.User == d.Caller
		pending = pending || p.pending()
		if err := p.check(d.State == Ended); err != nil {
			return fmt.Errorf("user %q: %w", p.User, err)
		}
		if d.State == Ringing && (p.User == d.Caller) != p.present() {
			return errors.New("it rings and somebody has answered, or the caller is gone")
		}
	}
	switch {
	case !caller:
		return errors.New("its caller takes no part")
	case pending != (d.RingUntil != 0):
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
