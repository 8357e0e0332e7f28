package signaling

import (
	"context"
	"slices"

	"carillon/chat"
	"carillon/wire"
)

// The methods that chat answers. Who may do what is decided there.

func (l *link) userGet(ctx context.Context, p wire.UserGet) (chat.User, error) {
	return l.server.chat.User(ctx, l.tab.User, p.User)
}

func (l *link) objectSet(ctx context.Context, p wire.UserObjectSet) (wire.Empty, error) {
	return wire.Empty{}, l.server.chat.SetObject(ctx, l.tab.User, l.tab.Tab, p.Key, p.Value)
}

func (l *link) objectGet(ctx context.Context, p wire.UserObjectGet) (wire.UserObjects, error) {
	objects, err := l.server.chat.Objects(ctx, l.tab.User)
	if p.Key != "" {
		objects = slices.DeleteFunc(objects, func(o chat.UserObject) bool { return o.Key != p.Key })
	}
	return wire.UserObjects{Objects: list(objects)}, err
}

func (l *link) conversationCreate(ctx context.Context, p wire.ConversationCreate) (chat.Conversation, error) {
	return l.server.chat.Create(ctx, l.user, p.Kind, p.Members, p.Name)
}

func (l *link) conversationList(ctx context.Context, p wire.ConversationList) (wire.ConversationPage, error) {
	page, next, err := l.server.chat.List(ctx, l.tab.User, p.Before, p.Limit)
	return wire.ConversationPage{Conversations: list(page), Next: next}, err
}

func (l *link) conversationGet(ctx context.Context, p wire.ConversationGet) (chat.Conversation, error) {
	return l.server.chat.Conversation(ctx, l.tab.User, p.Conversation)
}

func (l *link) messageSend(ctx context.Context, p wire.MessageSend) (chat.Message, error) {
	return l.server.chat.Send(ctx, l.user, chat.SendParams{
		Conversation: p.Conversation, To: p.To, ClientID: p.ClientID, Kind: p.Kind, Text: p.Text, Data: p.Data,
	})
}

func (l *link) messagePage(ctx context.Context, p wire.MessagePage) (wire.Messages, error) {
	messages, more, err := l.server.chat.Page(ctx, l.tab.User, p.Conversation, p.Before, p.After, p.Limit)
	return wire.Messages{Messages: list(messages), More: more}, err
}

func (l *link) receiptRead(ctx context.Context, p wire.ReceiptRead) (wire.Empty, error) {
	return wire.Empty{}, l.server.chat.MarkRead(ctx, l.tab.User, p.Conversation, p.Seq)
}

// ack notes what this device has stored. An offset beyond what was sent is refused by chat.
func (l *link) ack(ctx context.Context, p wire.Ack) error {
	if err := l.server.chat.MarkDelivered(ctx, l.tab.User, p.Offset); err != nil {
		return err
	}
	l.mu.Lock()
	l.follow.acked = max(l.follow.acked, p.Offset)
	l.mu.Unlock()
	return nil
}

// typing tells the other members. It is not kept: who misses it misses nothing.
func (l *link) typing(ctx context.Context, p wire.Typing) error {
	c, err := l.server.chat.Conversation(ctx, l.tab.User, p.Conversation)
	if err != nil {
		return err
	}
	p.User = l.tab.User
	for _, m := range c.Members {
		if m.ID != p.User {
			l.server.ephemeralTo(m.ID, wire.NoteTypes, p)
		}
	}
	return nil
}

// legSuspend notes that the page goes away.
func (l *link) legSuspend(ctx context.Context, p wire.LegRef) error {
	if l.server.calls == nil {
		return errNoCalls
	}
	return l.server.calls.Suspend(ctx, l.tab, p)
}

// list is never null on the wire.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
