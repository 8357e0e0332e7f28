package chat

import (
	"context"
	"encoding/json"
	"fmt"

	"carillon/refusal"
)

// SendParams is a message before it has a place. Exactly one of Conversation and To is set.
type SendParams struct {
	Conversation string
	To           string // a user, whose direct conversation with the sender is made when absent
	ClientID     string // unique per sender; the same id again returns the first message
	Kind         Kind   // empty: Text
	Text         string
	Data         json.RawMessage
}

// Send stores a message and tells every member. When it returns a message, that message
// is on disk, has its place in the conversation for good, and stands in each member's
// log exactly once, however often it was sent.
func (s *Service) Send(ctx context.Context, sender User, p SendParams) (Message, error) {
	m, err := s.draft(sender, p)
	if err != nil {
		return Message{}, err
	}
	err = s.write(ctx, func(tx Tx) error {
		if first, sent, err := tx.Sent(sender.ID, p.ClientID); err != nil || sent {
			if m = first; err == nil && !s.covers(m.Conversation) {
				err = errNoConversation
			}
			return err
		}
		m.SentAt = s.nowMS()
		if p.To != "" {
			if m.Conversation, err = s.direct(tx, sender, p.To, m.SentAt); err != nil {
				return err
			}
		}
		if !s.covers(m.Conversation) {
			return errNoConversation
		}
		var contact string
		if m, contact, err = appendMessage(tx, m, Counts{Everyone: true}); err != nil || contact == "" {
			return err
		}
		return s.introduce(tx, sender, contact)
	})
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// draft makes a message of p, as far as that needs no database.
func (s *Service) draft(sender User, p SendParams) (Message, error) {
	m := Message{Conversation: p.Conversation, Sender: sender.ID, ClientID: p.ClientID, Kind: p.Kind}
	if err := checkUser(sender.ID); err != nil {
		return m, err
	}
	if err := CheckClientID(p.ClientID); err != nil {
		return m, err
	}
	if (p.Conversation == "") == (p.To == "") {
		return m, refusal.New(refusal.BadRequest, "Name either a conversation or a user to send to.")
	}
	switch p.Kind {
	case "", Text:
		m.Kind = Text
		if data, err := cleanJSON(p.Data, s.cfg.MessageBytes); err != nil || data != nil {
			return m, refusal.New(refusal.BadRequest, "A text message has no data.")
		}
		var err error
		m.Text, err = cleanText(p.Text, s.cfg.MessageBytes)
		return m, err
	default: // Call and System are written by the server alone
		return m, refusal.New(refusal.BadRequest, "Messages of kind %q cannot be sent.", clip(string(p.Kind)))
	}
}

// clip shortens what a client sent, for use in an error message.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "…"
	}
	return s
}

// Append gives m its seq and id, stores it and tells every member. The sender must be a
// member. It is for messages that do not come through [Service.Send], such as those of calls.
func Append(tx Tx, m Message, counts Counts) (Message, error) {
	m, _, err := appendMessage(tx, m, counts)
	return m, err
}

// appendMessage is Append, and returns who became a contact of the sender by it.
func appendMessage(tx Tx, m Message, counts Counts) (_ Message, contact string, _ error) {
	members, err := Access(tx, m.Conversation, m.Sender)
	if err != nil {
		return m, "", err
	}
	if m.Seq, err = tx.NextSeq(m.Conversation, m.SentAt); err != nil {
		return m, "", err
	}
	m.ID = MessageID(m.Conversation, m.Seq)
	if err := tx.PutMessage(m, counts); err != nil {
		return m, "", err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return m, "", fmt.Errorf("encode message %s: %w", m.ID, err)
	}
	if contact, err = wroteTo(tx, m, members); err != nil {
		return m, "", err
	}
	for _, user := range members {
		of := Mark{m.Conversation, m.Seq}
		if user == m.Sender {
			of = Mark{} // a sender's own message is not delivered to them
		}
		if err := tx.Announce(user, EventMessage, m.SentAt, data, of); err != nil {
			return m, "", err
		}
	}
	return m, contact, nil
}

// Revise stores the next revision of a message in its place and tells every member. It
// checks no permission: that is the caller's.
func Revise(tx Tx, m Message, counts Counts, at int64) (Message, error) {
	members, err := tx.MemberIDs(m.Conversation)
	if err != nil {
		return m, err
	}
	m.Revision++
	if err := tx.ChangeMessage(m, counts); err != nil {
		return m, err
	}
	return m, announce(tx, members, EventMessageUpdate, at, m)
}

// MessageID derives the id of a message, so that no index is needed to find a message by it.
// The conversation's part cannot be guessed, and membership is checked in any case.
func MessageID(conversation string, seq int64) string {
	return fmt.Sprintf("%s.%d", conversation, seq)
}

// announce adds the same event to the logs of all of users.
func announce(tx Tx, users []string, t EventType, at int64, what any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode %s event: %w", t, err)
	}
	for _, user := range users {
		if err := tx.Announce(user, t, at, data, Mark{}); err != nil {
			return err
		}
	}
	return nil
}
