package signaling

import (
	"context"
	"slices"

	"carillon/chat"
	"carillon/wire"
)

// The methods that chat answers. Who may do what is decided there.

func (l *link) userGet(ctx context.Context, p wire.UserGet) (any, error) {
	return l.server.chat.User(ctx, l.from.User.ID, p.User)
}

func (l *link) objectSet(ctx context.Context, p wire.UserObjectSet) (any, error) {
	return wire.Empty{}, l.server.chat.SetObject(ctx, l.from.User.ID, l.from.Where.Tab, p.Key, p.Value)
}

func (l *link) objectGet(ctx context.Context, p wire.UserObjectGet) (any, error) {
	objects, err := l.server.chat.Objects(ctx, l.from.User.ID)
	if p.Key != "" {
		objects = slices.DeleteFunc(objects, func(o chat.UserObject) bool { return o.Key != p.Key })
	}
	return wire.UserObjects{Objects: list(objects)}, err
}

func (l *link) conversationCreate(ctx context.Context, p wire.ConversationCreate) (any, error) {
	return l.server.chat.Create(ctx, l.from.User, p.Kind, p.Members, p.Name)
}

func (l *link) conversationList(ctx context.Context, p wire.ConversationList) (any, error) {
	page, next, err := l.server.chat.List(ctx, l.from.User.ID, p.Before, p.Limit)
	return wire.ConversationPage{Conversations: list(page), Next: next}, err
}

func (l *link) conversationGet(ctx context.Context, p wire.ConversationGet) (any, error) {
	return l.server.chat.Conversation(ctx, l.from.User.ID, p.Conversation)
}

func (l *link) messageSend(ctx context.Context, p wire.MessageSend) (any, error) {
	return l.server.chat.Send(ctx, l.from.User, chat.SendParams{
		Conversation: p.Conversation, To: p.To, ClientID: p.ClientID, Kind: p.Kind, Text: p.Text, Data: p.Data,
	})
}

func (l *link) messagePage(ctx context.Context, p wire.MessagePage) (any, error) {
	messages, more, err := l.server.chat.Page(ctx, l.from.User.ID, p.Conversation, p.Before, p.After, p.Limit)
	return wire.Messages{Messages: list(messages), More: more}, err
}

func (l *link) receiptRead(ctx context.Context, p wire.ReceiptRead) (any, error) {
	return wire.Empty{}, l.server.chat.MarkRead(ctx, l.from.User.ID, p.Conversation, p.Seq)
}

// ack notes what this device has stored. An offset beyond what was sent is refused by chat.
func (l *link) ack(ctx context.Context, p wire.Ack) error {
	if err := l.server.chat.MarkDelivered(ctx, l.from.User.ID, p.Offset); err != nil {
		return err
	}
	l.mu.Lock()
	l.follow.acked = max(l.follow.acked, p.Offset)
	l.mu.Unlock()
	return nil
}

// typing tells the other members. It is not kept: who misses it misses nothing.
func (l *link) typing(ctx context.Context, p wire.Typing) error {
	c, err := l.server.chat.Conversation(ctx, l.from.User.ID, p.Conversation)
	if err != nil {
		return err
	}
	p.User = l.from.User.ID
	for _, m := range c.Members {
		if m.ID != p.User {
			l.server.ephemeralTo(m.ID, wire.NoteTypes, p)
		}
	}
	return nil
}

// list is never null on the wire.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
