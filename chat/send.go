package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"carillon/limit"
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
	ReplyTo      int64       // seq of the message that it answers, in the same conversation; 0: none
	Mentions     []string    // users whom Text names; who is no member is left out
	Forward      *MessageRef // the message holds what this one holds, whatever else is given
	NoPreview    bool        // the sender wants none of a link in Text
}

// Send stores a message and tells every member. When it returns a message, that message
// is on disk and has its place in the conversation and in its feed for good, once, however
// often it was sent. One that was sent before is returned as it is now.
func (s *Service) Send(ctx context.Context, sender User, p SendParams) (Message, Place, error) {
	m, err := s.draft(sender, p)
	if err != nil {
		return Message{}, Place{}, err
	}
	if err = s.send(ctx, m); errors.Is(err, errApart) {
		err = s.sendApart(ctx, sender, m)
	}
	if err != nil {
		return Message{}, Place{}, err
	}
	if s.sent != nil && !p.NoPreview {
		s.sent(limit.PayerOf(ctx), m.message)
	}
	return m.message, m.at, nil
}

// send stores a message together with others, at the expense of who pays for ctx. Nothing that is not
// stored costs anything.
func (s *Service) send(ctx context.Context, m *Sending) error {
	payer, bytes := limit.PayerOf(ctx), m.draft.bytes()
	if m.forward != nil {
		bytes += s.cfg.MessageBytes // it may hold as much
	}
	if err := s.budgets.bytes.Take(payer, bytes, s.now()); err != nil {
		return err
	}
	conversation := m.draft.Conversation
	if m.to != "" { // its id is not known yet
		conversation = min(m.draft.Sender, m.to) + "\n" + max(m.draft.Sender, m.to)
	}
	err := s.store.Send(ctx, conversation, m)
	if err == nil {
		err = m.err
	}
	if err != nil {
		s.budgets.bytes.Give(payer, bytes, s.now())
	}
	return err
}

// sendApart stores a message for which there is more to do than for most: it was sent before, or it is
// the first in a direct conversation, which may have to be made.
func (s *Service) sendApart(ctx context.Context, sender User, m *Sending) error {
	return s.write(ctx, m.draft.Conversation, func(tx Tx) (err error) {
		var sent bool
		if m.message, m.at, sent, err = tx.Sent(sender.ID, m.draft.ClientID); err != nil || sent {
			if err == nil && !s.covers(m.message.Conversation) {
				err = errNoConversation
			}
			return err
		}
		m.message = m.draft
		if m.to != "" {
			if m.message.Conversation, err = s.direct(tx, sender, m.to); err != nil {
				return err
			}
		}
		if !s.covers(m.message.Conversation) {
			return errNoConversation
		}
		if err := tx.Lock([]string{m.message.Conversation}, nil); err != nil {
			return err
		}
		p, err := Access(tx, m.message.Conversation, sender.ID)
		if err != nil {
			return err
		}
		if err := m.fill(tx, p); err != nil {
			return err
		}
		if m.message, m.at, err = Append(tx, m.message); err != nil {
			return err
		}
		return m.keepFiles(tx)
	})
}

// draft makes a message of p, as far as that needs no database.
func (s *Service) draft(sender User, p SendParams) (*Sending, error) {
	m := Message{
		Conversation: p.Conversation, Sender: sender.ID, ClientID: p.ClientID, Kind: cmp.Or(p.Kind, Text),
		ReplyTo: p.ReplyTo, Mentions: p.Mentions, Forwarded: p.Forward != nil,
	}
	if err := checkUser(sender.ID); err != nil {
		return nil, err
	}
	if err := CheckClientID(p.ClientID); err != nil {
		return nil, err
	}
	switch {
	case (p.Conversation == "") == (p.To == ""):
		return nil, refusal.New(refusal.BadRequest, "Name either a conversation or a user to send to.")
	case p.ReplyTo < 0:
		return nil, refusal.New(refusal.BadRequest, "A seq is 0 or more.")
	case len(p.Mentions) > maxMentions:
		return nil, refusal.New(refusal.TooLarge, "A message mentions at most %d users.", maxMentions)
	}
	for _, id := range p.Mentions {
		if err := checkUser(id); err != nil {
			return nil, err
		}
	}
	sending := &Sending{service: s, to: p.To, forward: p.Forward, draft: m}
	if p.Forward != nil {
		return sending, nil
	}
	c, err := s.cfg.contentOf(m.Kind, p.Text, p.Data, s.nowMS())
	sending.draft.Text, sending.draft.Data, sending.file = c.text, c.data, c.file
	return sending, err
}

// maxMentions is how many users one message may mention.
const maxMentions = 50

// bytes is about what it takes on disk: its own row and that of its client id, the head of its
// conversation and the marks of its sender.
func (m Message) bytes() int {
	return 4*(RowBytes+len(m.Conversation)+len(m.Sender)+len(m.ClientID)) + len(m.Text) + len(m.Data)
}

// clip shortens what a client sent, for use in an error message.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "…"
	}
	return s
}

// Append gives m its seq, id and place, stores it and tells every member. The sender must be a
// member. It is for messages that do not come through [Service.Send], such as those of calls. Who
// calls it has locked the conversation.
func Append(tx Tx, m Message) (Message, Place, error) {
	if _, err := Access(tx, m.Conversation, m.Sender); err != nil {
		return m, Place{}, err
	}
	at, err := place(tx, []*Message{&m})
	if err != nil {
		return m, Place{}, err
	}
	h, _, err := tx.Head(m.Conversation)
	if err != nil {
		return m, at[0], err
	}
	sender, _, err := tx.Participation(m.Conversation, m.Sender) // with the message counted
	if err != nil {
		return m, at[0], err
	}
	return m, at[0], wroteTo(tx, h, sender)
}

// Revise stores the next revision of a message in its place, under a new pos, and tells every
// member. Missed are those for whom it is a call that they missed, unless they have read beyond
// it: it counts as unread for them, once. It checks no permission: that is the caller's, who has
// locked the conversation and the feeds of those who missed it.
func Revise(tx Tx, m Message, missed []string) (Message, Place, error) {
	m.Revision++
	h, at, err := tx.NextPlace(m.Conversation, 1)
	if err != nil {
		return m, at, err
	}
	if err := tx.ChangeMessage(m, at); err != nil {
		return m, at, err
	}
	if err := tellMessage(tx, h, m, at); err != nil {
		return m, at, err
	}
	return m, at, miss(tx, m, missed)
}

// miss counts a message for those who missed it.
func miss(tx Tx, m Message, users []string) error {
	if len(users) == 0 {
		return nil
	}
	pairs := make([]Pair, len(users))
	for i, user := range users {
		pairs[i] = Pair{m.Conversation, user}
	}
	all, err := tx.Participations(pairs)
	if err != nil {
		return err
	}
	var rows []Participation
	var whose []string
	for _, p := range all {
		if p.State != Joined || p.Read >= m.Seq || p.MissedSeq >= m.Seq {
			continue
		}
		p.Missed++
		p.MissedSeq = m.Seq
		rows, whose = append(rows, p), append(whose, p.User)
	}
	if len(rows) == 0 {
		return nil
	}
	places, err := tx.NextPlaces(whose)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].InOwn = places[i]
	}
	if err := tx.PutMarks(rows); err != nil {
		return err
	}
	if err := tx.PutOwnPlaces(rows); err != nil {
		return err
	}
	return tellOwn(tx, rows)
}

// tellMessage tells the members of a message that is new, or has changed.
func tellMessage(tx Tx, h Head, m Message, at Place) error {
	item, err := NewItem(at, m)
	if err != nil {
		return err
	}
	tx.Tell(Told{Conversation: h.ID, Version: h.Version, Large: h.Large, Item: item})
	return nil
}

// MessageID derives the id of a message, so that no index is needed to find a message by it.
// The conversation's part cannot be guessed, and membership is checked in any case.
func MessageID(conversation string, seq int64) string {
	return fmt.Sprintf("%s.%d", conversation, seq)
}

// maxPending bounds the client ids of one hello.
const maxPending = 1000

// Accepted returns those of clientIDs that are messages of user already, in conversations that there
// are for whoever asks.
func (s *Service) Accepted(ctx context.Context, user string, clientIDs []string) ([]string, error) {
	if len(clientIDs) > maxPending {
		return nil, refusal.New(refusal.TooLarge, "At most %d pending client ids are compared.", maxPending)
	}
	clientIDs = slices.DeleteFunc(slices.Clone(clientIDs), func(id string) bool { return CheckClientID(id) != nil })
	if len(clientIDs) == 0 {
		return clientIDs, nil
	}
	var sent map[string]string
	err := s.store.Read(ctx, func(v View) (err error) {
		sent, err = v.AllSent(user, clientIDs)
		return err
	})
	return slices.DeleteFunc(clientIDs, func(id string) bool {
		conversation, accepted := sent[id]
		return !accepted || !s.covers(conversation)
	}), err
}
