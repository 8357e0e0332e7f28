package signaling

import (
	"context"
	"time"

	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/wire"
)

const (
	greetingTime = 2 * time.Minute // for all pages of one; only a slow tab, one that has to pay first or a failing database takes longer
	maxChanged   = 2000            // conversations that are sent to a tab that resumes
)

// sendGreeting sends what follows the welcome, page by page: the user's own feed, conversations,
// live calls, and at last synced. It runs in a goroutine of its own and waits until the tab has
// paid for what was read and has taken most of it, unlike fan-out. Meanwhile changes are told; the
// tab goes by their numbers.
func (c *connection) sendGreeting(turn *turn, r chat.Resumption, own int64, since int64) {
	ctx, cancel := c.server.timeout(greetingTime)
	defer cancel()
	all, err := c.sendPages(limit.PaidBy(ctx, c.payer), turn, r, own, since)
	_, refused := refusal.Of(err)
	switch {
	case c.out.isClosed():
	case err != nil && (refused || ctx.Err() != nil):
		c.close(wire.CloseSlow, "come back")
	case err != nil:
		c.log.Error("greet", "err", err)
		c.close(wire.CloseShutdown, "1000")
	default:
		c.endGreeting(wire.Synced{At: r.At, Opening: r.Opening + scopeName(c.scope), All: all})
	}
}

// sendPages reports whether it has sent all that has changed.
func (c *connection) sendPages(ctx context.Context, turn *turn, r chat.Resumption, own, since int64) (all bool, err error) {
	if err := c.sendOwnItems(ctx, turn, r.Resumed, own); err != nil {
		return false, err
	}
	all = true
	if r.Resumed {
		all, err = c.sendChanged(ctx, turn, since)
	} else {
		err = c.sendFirstConversations(ctx, turn)
	}
	if err != nil || c.server.calls == nil {
		return all, err
	}
	return all, c.sendCalls(ctx, turn)
}

// sendOwnItems sends the user's own feed after a pos. Who has not resumed gets no memberships: they
// come with the conversations.
func (c *connection) sendOwnItems(ctx context.Context, turn *turn, resumed bool, after int64) error {
	for {
		var page chat.Changes
		err := turn.read(ctx, func() (err error) {
			if resumed {
				page, err = c.chat.Changes(ctx, c.tab.User, chat.OwnFeed, after, 0)
			} else {
				page, err = c.chat.OwnItems(ctx, c.tab.User, after)
			}
			return err
		})
		if err != nil {
			return err
		}
		if page.More {
			c.charge(len(page.Items)) // before it is sent: who has it asks for more
		}
		c.page(wire.Greeting{Items: page.Items, Pos: page.UpTo})
		if !page.More {
			return nil
		}
		after = page.UpTo
		turn.end() // those with less to read come first
	}
}

// sendChanged sends the conversations that have changed since a time.
func (c *connection) sendChanged(ctx context.Context, turn *turn, since int64) (all bool, _ error) {
	sent, after := 0, ""
	for sent < maxChanged {
		var page []chat.Conversation
		var next string
		err := turn.read(ctx, func() (err error) {
			page, next, err = c.chat.ChangedConversations(ctx, c.tab.User, since, after)
			return err
		})
		if err != nil {
			return false, err
		}
		if next != "" {
			c.charge(len(page))
		}
		if len(page) > 0 {
			c.page(wire.Greeting{Conversations: page})
		}
		if next == "" {
			return true, nil
		}
		sent, after = sent+len(page), next
		turn.end() // those with less to read come first
	}
	return false, nil
}

func (c *connection) sendFirstConversations(ctx context.Context, turn *turn) error {
	var page []chat.Conversation
	var next string
	err := turn.read(ctx, func() (err error) {
		page, next, err = c.chat.List(ctx, c.tab.User, "", 0)
		return err
	})
	if err == nil {
		c.page(wire.Greeting{Conversations: page, Next: next})
	}
	return err
}

// sendCalls sends each live call by itself: one has up to all participants.
func (c *connection) sendCalls(ctx context.Context, turn *turn) error {
	var calls []wire.CallChange
	err := turn.read(ctx, func() (err error) {
		calls, err = c.server.calls.Live(ctx, c.asker())
		return err
	})
	if err != nil {
		return err
	}
	for _, one := range calls {
		if !c.out.waitForSpace(ctx, turn.end) {
			return errLeft
		}
		c.page(wire.Greeting{Calls: []wire.CallChange{one}})
	}
	return nil
}

func (c *connection) page(g wire.Greeting) {
	c.push(notification(wire.NoteGreeting, g), answer, "")
}

func (c *connection) endGreeting(synced wire.Synced) {
	c.mu.Lock()
	c.push(notification(wire.NoteSynced, synced), durable, "")
	c.synced = true
	c.mu.Unlock()
	yes := true
	c.server.command(c.tab.User, command{Tab: c.tab.TabID, Session: c.tab.Session, Synced: &yes})
}
