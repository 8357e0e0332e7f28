package chat

import (
	"errors"
	"slices"

	"carillon/refusal"
)

// Sending is a message on its way into its conversation. Those that wait at the same time are decided
// about and stored together, see [SendAll].
type Sending struct {
	// Fixed at construction.
	service *Service    // of whoever asks
	to      string      // whose direct conversation with the sender it is for; empty: the draft names one
	forward *MessageRef // what it holds is what this message holds
	file    string      // the id of the file that it names; its data is made of that
	draft   Message

	// Set by SendAll.
	message Message
	files   []string // that it has
	at      Place
	err     error // it is refused, or has to be stored apart: nothing of it is stored
}

// errApart ends the sending of a message that cannot be stored with others: it was sent before, or it
// changes more than its conversation, because it is the first of its sender in a direct one.
var errApart = errors.New("this message is stored apart from others")

// SendAll decides about messages and stores those that are not refused, in their order. It decides
// before it stores anything, so what is refused costs the others nothing. When it returns an error,
// nothing is decided; it may run again, in another transaction.
func SendAll(tx Tx, all []*Sending) error {
	waiting, err := find(tx, all)
	if err != nil {
		return err
	}
	messages := make([]*Message, len(waiting))
	for i, m := range waiting {
		messages[i] = &m.message
	}
	sent, err := tx.LockFor(messages)
	if err != nil {
		return err
	}
	messages = messages[:0]
	var accepted []*Sending
	for _, m := range waiting {
		id := ClientID{m.message.Sender, m.message.ClientID}
		m.err = m.decide(tx, sent[id])
		if _, refused := refusal.Of(m.err); m.err != nil && !refused && !errors.Is(m.err, errApart) {
			return m.err
		}
		if m.err == nil {
			sent[id] = true
			accepted, messages = append(accepted, m), append(messages, &m.message)
		}
	}
	places, err := place(tx, messages)
	if err != nil {
		return err
	}
	for i, m := range accepted {
		m.at = places[i]
		if err := m.keepFiles(tx); err != nil {
			return err
		}
	}
	return nil
}

// find gives messages the ids of their conversations, and returns those for which there is one. Of the
// others, some may have been sent before.
func find(tx Tx, all []*Sending) (found []*Sending, err error) {
	for _, m := range all {
		m.message, m.at, m.err = m.draft, Place{}, nil
		there := isID(m.draft.Conversation)
		if m.to != "" && checkPair(m.draft.Sender, m.to) == nil {
			if m.message.Conversation, there, err = tx.DirectBetween(m.draft.Sender, m.to); err != nil {
				return nil, err
			}
		}
		if there {
			found = append(found, m)
		} else {
			m.err = errApart
		}
	}
	return found, nil
}

// decide returns why a message is not stored with the others, if it is not. Its conversation is locked.
func (m *Sending) decide(tx Tx, sent bool) error {
	if sent {
		return errApart
	}
	p, err := m.service.access(tx, m.message.Conversation, m.message.Sender)
	if err != nil {
		return err
	}
	if err := m.fill(tx, p); err != nil {
		return err
	}
	h, _, err := tx.Head(m.message.Conversation)
	if err != nil || h.Kind != Direct {
		return err
	}
	a, err := tx.Acquaintance(m.message.Sender, h.other(m.message.Sender))
	if err == nil {
		err = a.refuse()
	}
	if err == nil && !(a.Contact && a.Shown) {
		err = errApart
	}
	return err
}

// fill puts into the message what is known in its conversation only, which is locked: what it answers,
// whom it mentions, what it forwards, and its file. The sender takes part as p says.
func (m *Sending) fill(tx Tx, p Participation) (err error) {
	m.message.SentAt, m.files = m.service.nowMS(), nil
	if seq := m.message.ReplyTo; seq > 0 {
		if _, err := visibleTo(tx, p, seq); err != nil {
			return err
		}
	}
	if len(m.message.Mentions) > 0 {
		if m.message.Mentions, err = tx.Joined(p.Conversation, m.message.Mentions); err != nil {
			return err
		}
		slices.Sort(m.message.Mentions)
		m.message.Mentions = slices.Compact(m.message.Mentions)
	}
	switch {
	case m.forward != nil:
		return m.fillForward(tx)
	case m.file != "":
		d, err := Attach(tx, m.message.Sender, m.file)
		if err != nil {
			return err
		}
		m.files = []string{d.File}
		m.message.Data, err = encode(d)
		return err
	}
	return nil
}

// fillForward puts into the message what another holds that the sender sees.
func (m *Sending) fillForward(tx Tx) error {
	p, err := m.service.access(tx, m.forward.Conversation, m.message.Sender)
	if err != nil {
		return err
	}
	first, err := visibleTo(tx, p, m.forward.Seq)
	if err != nil {
		return err
	}
	if first.Kind == Call || first.Kind == System {
		return refusal.New(refusal.BadRequest, "Messages of kind %q cannot be forwarded.", first.Kind)
	}
	m.message.Kind, m.message.Text, m.message.Data, m.message.Preview = first.Kind, first.Text, first.Data, first.Preview
	m.files, err = tx.FilesOf(first.Conversation, first.Seq)
	return err
}

// keepFiles notes that the message, which has its seq, has its files.
func (m *Sending) keepFiles(tx Tx) error {
	if len(m.files) == 0 {
		return nil
	}
	return tx.PutFileUses(m.message.Conversation, m.message.Seq, m.files)
}

// visibleTo returns a message that a member sees. What there is nothing to be seen of is not there.
func visibleTo(v View, p Participation, seq int64) (Message, error) {
	m, _, there, err := v.Message(p.Conversation, seq)
	if err == nil && (!there || seq < p.FromSeq || m.Gone != "") {
		err = errNoMessage
	}
	return m, err
}

// place gives messages their places in their conversations, which are locked, stores them and tells
// every member. Their senders are members.
func place(tx Tx, messages []*Message) ([]Place, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	places, err := tx.NextMessages(messages)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		m.ID = MessageID(m.Conversation, m.Seq)
	}
	if err := tx.PutMessages(messages, places); err != nil {
		return nil, err
	}
	if err := countOwn(tx, messages); err != nil {
		return nil, err
	}
	for i, m := range messages {
		h, _, err := tx.Head(m.Conversation)
		if err == nil {
			err = tellMessage(tx, h, *m, places[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return places, nil
}

// countOwn counts messages as their senders' own, beyond what they have read.
func countOwn(tx Tx, messages []*Message) error {
	var senders []Participation
	index := map[Pair]int{}
	for _, m := range messages {
		if !m.Kind.Counts() {
			continue
		}
		pair := Pair{m.Conversation, m.Sender}
		i, known := index[pair]
		if !known {
			p, _, err := tx.Participation(m.Conversation, m.Sender)
			if err != nil {
				return err
			}
			i = len(senders)
			index[pair], senders = i, append(senders, p)
		}
		senders[i].OwnAhead++
	}
	if len(senders) == 0 {
		return nil
	}
	return tx.PutMarks(senders)
}
