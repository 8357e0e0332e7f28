package chat

import (
	"context"
	"strings"
	"unicode/utf8"
)

// The longest texts of a preview, in bytes: what a card of three or four lines shows.
const (
	previewTitle       = 300
	previewDescription = 600
)

// Clean returns the preview with its texts as they are stored: each on one line, cut to a length, with
// nothing in it that turns what follows.
func (p Preview) Clean() Preview {
	p.Title, p.Description = excerpt(p.Title, previewTitle), excerpt(p.Description, previewDescription)
	return p
}

// excerpt returns the beginning of what strangers wrote, on one line.
func excerpt(text string, most int) string {
	const rest = "…"
	text = oneLine(strings.ToValidUTF8(text, "\ufffd"))
	if len(text) <= most {
		return text
	}
	end := most - len(rest)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimSpace(text[:end]) + rest
}

// SetPreview puts a preview under a text message, in a new revision. Nothing happens if the message
// is not there any more, or not of that revision: it says something else now.
func (s *Service) SetPreview(ctx context.Context, conversation string, seq int64, revision int, p Preview) error {
	stored, err := encode(p.Clean())
	if err != nil {
		return err
	}
	return s.write(ctx, conversation, func(tx Tx) error {
		if err := tx.Lock([]string{conversation}, nil); err != nil {
			return err
		}
		m, _, found, err := tx.Message(conversation, seq)
		if err != nil || !found || m.Kind != Text || m.Revision != revision || m.Preview != nil {
			return err
		}
		m.Preview = stored
		_, _, err = Revise(tx, m, nil)
		return err
	})
}
