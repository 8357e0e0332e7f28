package signaling

import (
	"context"
	"slices"

	"carillon/chat"
	"carillon/refusal"
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
	if p.Key != "" {
		o, found, err := c.chat.Object(ctx, c.tab.User, p.Key)
		if err != nil || !found {
			return wire.UserObjects{Objects: []chat.UserObject{}}, err
		}
		return wire.UserObjects{Objects: []chat.UserObject{o}}, nil
	}
	page, next, err := c.chat.Objects(ctx, c.tab.User, p.After)
	c.charge(len(page))
	return wire.UserObjects{Objects: list(page), Next: next}, err
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

func (c *connection) conversationCreate(ctx context.Context, p wire.ConversationCreate) (none chat.Conversation, _ error) {
	if err := c.spend(len(p.Members)); err != nil {
		return none, err
	}
	if err := c.introduce(ctx, p.Members...); err != nil {
		return none, err
	}
	return c.chat.Create(ctx, c.profile, chat.CreateParams{Kind: p.Kind, Members: p.Members, Name: p.Name, Vouched: c.admin()})
}

// admin reports whether the site's backend asks. With a token for some conversations nobody is
// it outside of them.
func (c *connection) admin() bool {
	return slices.Contains(c.scope.Grants, "admin") && !c.scope.Narrowed()
}

// introduce makes users known whom an admin names: the site's backend knows who there is, also
// who has not signed in yet.
func (c *connection) introduce(ctx context.Context, users ...string) error {
	if !c.admin() {
		return nil
	}
	return c.chat.Introduce(ctx, users)
}

func (c *connection) conversationList(ctx context.Context, p wire.ConversationList) (none wire.ConversationPage, _ error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return none, err
	}
	page, next, err := c.chat.List(ctx, c.tab.User, p.Before, p.Limit)
	c.chargeMembers(page)
	return wire.ConversationPage{Conversations: list(page), Next: next}, err
}

func (c *connection) conversationGet(ctx context.Context, p wire.ConversationGet) (none wire.Conversations, _ error) {
	if err := c.spend(len(p.Conversations)); err != nil {
		return none, err
	}
	page, more, err := c.chat.Conversations(ctx, c.tab.User, p.Conversations)
	c.chargeMembers(page)
	return wire.Conversations{Conversations: list(page), More: more}, err
}

func (c *connection) chargeMembers(page []chat.Conversation) {
	for _, conversation := range page {
		c.charge(len(conversation.Members))
	}
}

func (c *connection) conversationMembers(ctx context.Context, p wire.ConversationMembers) (none wire.MemberPage, _ error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return none, err
	}
	page, err := c.chat.Members(ctx, c.tab.User, p.Conversation, p.After, p.Limit)
	return wire.MemberPage{Members: list(page.Members), Next: page.Next, Pos: page.Pos}, err
}

func (c *connection) conversationJoin(ctx context.Context, p wire.ConversationRef) (chat.Conversation, error) {
	return c.chat.Join(ctx, c.profile, p.Conversation)
}

func (c *connection) conversationLeave(ctx context.Context, p wire.ConversationRef) (wire.Empty, error) {
	return wire.Empty{}, c.chat.Leave(ctx, c.tab.User, p.Conversation)
}

func (c *connection) feedChanges(ctx context.Context, p wire.FeedChanges) (none wire.Changes, _ error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return none, err
	}
	page, err := c.chat.Changes(ctx, c.tab.User, p.Feed, p.After, p.Limit)
	return wire.Changes{Items: list(page.Items), UpTo: page.UpTo, More: page.More, Reset: page.Reset, Users: list(page.Users)}, err
}

func (c *connection) messageSend(ctx context.Context, p wire.MessageSend) (none wire.Change, _ error) {
	if p.To != "" {
		if err := c.introduce(ctx, p.To); err != nil {
			return none, err
		}
	}
	m, at, err := c.chat.Send(ctx, c.profile, chat.SendParams{
		Conversation: p.Conversation, To: p.To, ClientID: p.ClientID, Kind: p.Kind, Text: p.Text, Data: p.Data, NoPreview: p.NoPreview,
		ReplyTo: p.ReplyTo, Mentions: p.Mentions, Forward: p.Forward,
	})
	if err != nil {
		return none, err
	}
	return messageChange(m, at), nil
}

// messageChange is the change that a message was, as a notification tells it.
func messageChange(m chat.Message, at chat.Place) wire.Change {
	return wire.Change{Feed: m.Conversation, Pos: at.Pos, Tag: at.Tag, Type: chat.ItemMessage, Data: raw(m)}
}

func (c *connection) messageEdit(ctx context.Context, p wire.MessageEdit) (wire.Change, error) {
	m, at, err := c.chat.Edit(ctx, c.tab.User, p.Conversation, p.Seq, p.Text)
	if err != nil {
		return wire.Change{}, err
	}
	return messageChange(m, at), nil
}

func (c *connection) messageRecall(ctx context.Context, p wire.MessageName) (wire.Change, error) {
	m, at, err := c.chat.Recall(ctx, c.tab.User, p.Conversation, p.Seq)
	if err != nil {
		return wire.Change{}, err
	}
	return messageChange(m, at), nil
}

// messageReact answers with the change that the reaction was, as a notification tells it. One that was
// there already, or was not, is no change.
func (c *connection) messageReact(ctx context.Context, p wire.MessageReact) (none wire.Change, _ error) {
	r, at, err := c.chat.React(ctx, c.tab.User, p.Conversation, p.Seq, p.Emoji, !p.Off)
	if err != nil {
		return none, err
	}
	if at.Pos == 0 {
		return wire.Change{Feed: p.Conversation}, nil
	}
	return wire.Change{Feed: p.Conversation, Pos: at.Pos, Tag: at.Tag, Type: chat.ItemReactions, Data: raw(r)}, nil
}

func (c *connection) messageReacted(ctx context.Context, p wire.MessageReacted) (none wire.ReactedPage, _ error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return none, err
	}
	page, err := c.chat.WhoReacted(ctx, c.tab.User, p.Conversation, p.Seq, p.Emoji, p.After, p.Limit)
	return wire.ReactedPage{Users: list(page.Users), Next: page.Next}, err
}

func (c *connection) previewGet(_ context.Context, p wire.PreviewGet) (none wire.PreviewFound, _ error) {
	if c.server.previews == nil {
		return none, refusal.New(refusal.NotAllowed, "This server makes no previews of links.")
	}
	found, err := c.server.previews.Get(c.payer, p.URL)
	return wire.PreviewFound{Preview: found}, err
}

func (c *connection) messagePage(ctx context.Context, p wire.MessagePage) (none wire.Messages, _ error) {
	if err := c.spend(c.chat.PageSize(p.Limit)); err != nil {
		return none, err
	}
	page, err := c.chat.Page(ctx, c.tab.User, p.Conversation, p.Before, p.After, p.Limit)
	return messagesIn(page), err
}

func (c *connection) messageGet(ctx context.Context, p wire.MessageGet) (none wire.Messages, _ error) {
	if err := c.spend(len(p.Seqs)); err != nil {
		return none, err
	}
	page, err := c.chat.Some(ctx, c.tab.User, p.Conversation, p.Seqs)
	return messagesIn(page), err
}

func messagesIn(page chat.Page) wire.Messages {
	return wire.Messages{Items: list(page.Items), Reactions: page.Reactions, Users: list(page.Users), More: page.More, Pos: page.Pos}
}

func (c *connection) marksSet(ctx context.Context, p wire.MarksSet) (wire.Empty, error) {
	if err := c.spend(len(p.Marks)); err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, c.chat.SetMarks(ctx, c.tab.User, p.Marks)
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
