package chat

import (
	"context"
	"time"

	"carillon/limit"
	"carillon/refusal"
)

// Edit replaces the text of a message that user has sent, or the caption of its file, within the
// time that the site allows. Everyone sees that it was edited.
func (s *Service) Edit(ctx context.Context, user, conversation string, seq int64, text string) (m Message, at Place, err error) {
	err = s.write(ctx, conversation, func(tx Tx) error {
		if m, err = s.visible(tx, conversation, user, seq); err != nil {
			return err
		}
		if m.Sender != user {
			return refusal.New(refusal.NotAllowed, "Only who has sent a message may edit it.")
		}
		if err := s.within(m, s.cfg.EditMinutes, "edited"); err != nil {
			return err
		}
		switch m.Kind {
		case Text:
			m.Text, err = cleanText(text, s.cfg.MessageBytes)
		case File, Voice, VideoNote:
			m.Text, err = optionalText(text, s.cfg.MessageBytes)
		default:
			err = refusal.New(refusal.BadRequest, "Messages of kind %q cannot be edited.", m.Kind)
		}
		if err != nil {
			return err
		}
		m.Preview, m.EditedAt = nil, s.nowMS()
		m, at, err = Revise(tx, m, nil)
		return err
	})
	if err == nil && s.sent != nil {
		s.sent(limit.PayerOf(ctx), m) // it may have another link now
	}
	return m, at, err
}

// Recall takes a message away from everyone: who has sent it within the time that the site allows, an
// owner or a moderator of a group at any time. What stays says only that there was one.
func (s *Service) Recall(ctx context.Context, user, conversation string, seq int64) (m Message, at Place, err error) {
	err = s.write(ctx, conversation, func(tx Tx) error {
		if m, err = s.visible(tx, conversation, user, seq); err != nil {
			return err
		}
		reason := RecalledMessage
		switch {
		case m.Kind == Call || m.Kind == System:
			return refusal.New(refusal.BadRequest, "Messages of kind %q cannot be recalled.", m.Kind)
		case m.Sender == user:
			err = s.within(m, s.cfg.RecallMinutes, "recalled")
		default:
			reason, err = RemovedMessage, mayModerate(tx, conversation, user)
		}
		if err != nil {
			return err
		}
		if err := tx.RemoveFileUses(conversation, seq, seq); err != nil {
			return err
		}
		m, at, err = Revise(tx, m.without(reason), nil)
		return err
	})
	return m, at, err
}

// within refuses what is done to a message later than so many minutes after it was sent.
func (s *Service) within(m Message, minutes int, done string) error {
	if s.nowMS() > m.SentAt+(time.Duration(minutes)*time.Minute).Milliseconds() {
		return refusal.New(refusal.NotAllowed, "A message can be %s within %d minutes after it was sent.", done, minutes)
	}
	return nil
}

// mayModerate refuses who is neither an owner nor a moderator of a group.
func mayModerate(v View, conversation, user string) error {
	p, err := Access(v, conversation, user)
	if err == nil && p.Role != Owner && p.Role != Moderator {
		err = refusal.New(refusal.NotAllowed, "Only owners and moderators may do that.")
	}
	return err
}
