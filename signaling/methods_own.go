package signaling

import (
	"context"

	"carillon/chat"
	"carillon/wire"
)

// The methods about what a user decides for themselves, which chat answers.

func (c *connection) blockAdd(ctx context.Context, p wire.BlockRef) (wire.Empty, error) {
	return wire.Empty{}, c.contactChanged(p.User, c.chat.Block(ctx, c.tab.User, p.User))
}

func (c *connection) blockRemove(ctx context.Context, p wire.BlockRef) (wire.Empty, error) {
	return wire.Empty{}, c.contactChanged(p.User, c.chat.Unblock(ctx, c.tab.User, p.User))
}

func (c *connection) blockList(ctx context.Context, p wire.BlockList) (wire.BlockPage, error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return wire.BlockPage{}, err
	}
	page, next, err := c.chat.Blocks(ctx, c.tab.User, p.After, p.Limit)
	return wire.BlockPage{Users: list(page), Next: next}, err
}

func (c *connection) preferencesSet(ctx context.Context, p chat.PreferencesChange) (chat.Preferences, error) {
	now, err := c.chat.SetPreferences(ctx, c.tab.User, p)
	if err == nil && p.Presence != nil {
		c.server.presence.audienceChanged(c.tab.User)
	}
	return now, err
}

func (c *connection) draftSet(ctx context.Context, p wire.DraftSet) (wire.Empty, error) {
	return wire.Empty{}, c.chat.SetDraft(ctx, c.tab.User, chat.Draft{Conversation: p.Conversation, Text: p.Text, ReplyTo: p.ReplyTo})
}

func (c *connection) conversationMine(ctx context.Context, p wire.ConversationMine) (wire.Empty, error) {
	return wire.Empty{}, c.chat.SetMine(ctx, c.tab.User, p.Conversation, chat.MineChange{
		MutedUntil: p.MutedUntil, Archived: p.Archived, Favourite: p.Favourite,
	})
}

func (c *connection) conversationClear(ctx context.Context, p wire.ConversationClear) (wire.Empty, error) {
	return wire.Empty{}, c.chat.Clear(ctx, c.tab.User, p.Conversation, p.UpTo)
}

func (c *connection) messageHide(ctx context.Context, p wire.MessageHide) (wire.Empty, error) {
	return wire.Empty{}, c.chat.Hide(ctx, c.tab.User, p.Conversation, p.Seqs)
}
