package signaling

import (
	"context"
	"slices"

	"carillon/chat"
	"carillon/wire"
)

// The methods that chat answers. Who may do what is decided there.

func (c *connection) userGet(ctx context.Context, p wire.UserGet) (chat.User, error) {
	return c.chat.User(ctx, c.tab.User, p.User)
}

func (c *connection) objectSet(ctx context.Context, p wire.UserObjectSet) (wire.Empty, error) {
	return wire.Empty{}, c.chat.SetObject(ctx, c.tab.User, c.tab.TabID, p.Key, p.Value)
}

func (c *connection) objectGet(ctx context.Context, p wire.UserObjectGet) (wire.UserObjects, error) {
	objects, err := c.chat.Objects(ctx, c.tab.User)
	c.charge(len(objects))
	if p.Key != "" {
		objects = slices.DeleteFunc(objects, func(o chat.UserObject) bool { return o.Key != p.Key })
	}
	return wire.UserObjects{Objects: list(objects)}, err
}

func (c *connection) contactAdd(ctx context.Context, p wire.ContactRef) (wire.Empty, error) {
	return wire.Empty{}, c.contactChanged(p.User, c.chat.AddContact(ctx, c.tab.User, p.User))
}

func (c *connection) contactRemove(ctx context.Context, p wire.ContactRef) (wire.Empty, error) {
	return wire.Empty{}, c.contactChanged(p.User, c.chat.RemoveContact(ctx, c.tab.User, p.User))
}

// contactChanged lets the other's tabs look again whether they may see when this user is here.
// It returns the error of the change.
func (c *connection) contactChanged(other string, err error) error {
	if err == nil {
		c.server.command(other, command{Shown: c.tab.User})
	}
	return err
}

func (c *connection) contactList(ctx context.Context, p wire.ContactList) (wire.ContactPage, error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return wire.ContactPage{}, err
	}
	page, next, err := c.chat.Contacts(ctx, c.tab.User, p.After, p.Limit)
	return wire.ContactPage{Contacts: list(page), Next: next}, err
}

func (c *connection) conversationCreate(ctx context.Context, p wire.ConversationCreate) (chat.Conversation, error) {
	if err := c.spend(len(p.Members)); err != nil {
		return chat.Conversation{}, err
	}
	if err := c.introduce(ctx, p.Members...); err != nil {
		return chat.Conversation{}, err
	}
	return c.chat.Create(ctx, c.profile, p.Kind, p.Members, p.Name)
}

// introduce makes users known whom an admin names: the site's backend knows who there is, also
// who has not signed in yet.
func (c *connection) introduce(ctx context.Context, users ...string) error {
	if !slices.Contains(c.scope.Grants, "admin") || c.scope.Narrowed() {
		return nil
	}
	return c.chat.Introduce(ctx, users)
}

func (c *connection) conversationList(ctx context.Context, p wire.ConversationList) (wire.ConversationPage, error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return wire.ConversationPage{}, err
	}
	page, next, err := c.chat.List(ctx, c.tab.User, p.Before, p.Limit)
	for _, conversation := range page {
		c.charge(len(conversation.Members))
	}
	return wire.ConversationPage{Conversations: list(page), Next: next}, err
}

func (c *connection) conversationGet(ctx context.Context, p wire.ConversationGet) (chat.Conversation, error) {
	conversation, err := c.chat.Conversation(ctx, c.tab.User, p.Conversation)
	c.charge(len(conversation.Members))
	return conversation, err
}

func (c *connection) messageSend(ctx context.Context, p wire.MessageSend) (chat.Message, error) {
	if p.To != "" {
		if err := c.introduce(ctx, p.To); err != nil {
			return chat.Message{}, err
		}
	}
	return c.chat.Send(ctx, c.profile, chat.SendParams{
		Conversation: p.Conversation, To: p.To, ClientID: p.ClientID, Kind: p.Kind, Text: p.Text, Data: p.Data,
	})
}

func (c *connection) messagePage(ctx context.Context, p wire.MessagePage) (wire.Messages, error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return wire.Messages{}, err
	}
	messages, more, err := c.chat.Page(ctx, c.tab.User, p.Conversation, p.Before, p.After, p.Limit)
	return wire.Messages{Messages: list(messages), More: more}, err
}

func (c *connection) receiptRead(ctx context.Context, p wire.ReceiptRead) (wire.Empty, error) {
	return wire.Empty{}, c.chat.MarkRead(ctx, c.tab.User, p.Conversation, p.Seq)
}

// ack notes what this device has stored. An offset beyond what was sent is refused by chat.
func (c *connection) ack(ctx context.Context, p wire.Ack) error {
	if err := c.chat.MarkDelivered(ctx, c.tab.User, p.Offset); err != nil {
		return err
	}
	c.position.mu.Lock()
	c.position.cursor.acked = max(c.position.cursor.acked, p.Offset)
	c.position.mu.Unlock()
	return nil
}

// typing tells the other members. It is not kept: who misses it misses nothing.
func (c *connection) typing(ctx context.Context, p wire.Typing) error {
	conversation, err := c.chat.Conversation(ctx, c.tab.User, p.Conversation)
	if err != nil {
		return err
	}
	c.charge(len(conversation.Members))
	p.User = c.tab.User
	for _, m := range conversation.Members {
		if m.ID != p.User {
			c.server.ephemeralTo(m.ID, wire.NoteTyping, p)
		}
	}
	return nil
}

// legSuspend notes that the page goes away.
func (c *connection) legSuspend(ctx context.Context, p wire.LegRef) error {
	if c.server.calls == nil {
		return errNoCalls
	}
	return c.server.calls.Suspend(ctx, c.asker(), p)
}

// list is never null on the wire.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
