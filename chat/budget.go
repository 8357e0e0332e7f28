package chat

import (
	"context"
	"time"

	"carillon/limit"
)

// budgets bound what a user and an address may have stored.
type budgets struct {
	bytes   *limit.Budget
	groups  *limit.Budget
	members *limit.Budget
}

// bytesBurst is the time whose bytes may be written at once: a tab that comes back sends what
// has waited in it, somebody makes a large group.
const bytesBurst = 4 * time.Minute

func newBudgets(r Rates) budgets {
	perSecond := func(key string, n int) limit.Share {
		return limit.Share{Key: "chat.rates." + key, Rate: limit.Per(time.Second, n, bytesBurst)}
	}
	perHour := func(key string, n int) limit.Share {
		return limit.Share{Key: "chat.rates." + key, Rate: limit.Per(time.Hour, n, time.Hour)}
	}
	return budgets{
		bytes: limit.NewBudget(limit.Shares{
			User: perSecond("user_bytes", r.UserBytes), Address: perSecond("address_bytes", r.AddressBytes),
			Guest: perSecond("one_guest_bytes", r.OneGuestBytes), GuestAddress: perSecond("guest_address_bytes", r.GuestAddressBytes),
			Guests:  perSecond("guest_bytes", r.GuestBytes),
			Refusal: "You have written very much in a short time. Wait a moment.",
		}),
		groups: limit.NewBudget(limit.Shares{
			User: perHour("user_groups", r.UserGroups), Address: perHour("address_groups", r.AddressGroups),
			Refusal: "You have made many groups. Wait a while.",
		}),
		members: limit.NewBudget(limit.Shares{
			User: perHour("user_members", r.UserMembers), Address: perHour("address_members", r.AddressMembers),
			Refusal: "You have begun to write to many others. Wait a while.",
		}),
	}
}

// invitationLimits count the invitations that are refused because too many wait.
type invitationLimits struct{ all, perPair *limit.Count }

func newInvitationLimits() *invitationLimits {
	return &invitationLimits{all: limit.NewCount("chat.invitations"), perPair: limit.NewCount("chat.invitations_per_pair")}
}

// Counts are those of the limits that count what they refuse.
func (s *Service) Counts() []*limit.Count {
	all := []*limit.Count{s.invitations.all, s.invitations.perPair}
	for _, b := range []*limit.Budget{s.budgets.bytes, s.budgets.groups, s.budgets.members} {
		all = append(all, b.Counts()...)
	}
	return all
}

// costs is what a transaction makes and writes.
type costs struct{ bytes, groups, members int }

// take spends all of it, or nothing.
func (b budgets) take(p limit.Payer, c costs, now time.Time) error {
	if err := b.bytes.Take(p, c.bytes, now); err != nil {
		return err
	}
	err := b.conversations(p, c, now)
	if err != nil {
		b.bytes.Give(p, c.bytes, now)
	}
	return err
}

// conversations spends what a new conversation costs beside its bytes. Who makes no group is not
// refused for having made too many, nor who adds no members.
func (b budgets) conversations(p limit.Payer, c costs, now time.Time) error {
	if c.groups > 0 {
		if err := b.groups.Take(p, c.groups, now); err != nil {
			return err
		}
	}
	if c.members == 0 {
		return nil
	}
	err := b.members.Take(p, c.members, now)
	if err != nil {
		b.groups.Give(p, c.groups, now)
	}
	return err
}

// give gives back what was taken.
func (b budgets) give(p limit.Payer, c costs, now time.Time) {
	b.bytes.Give(p, c.bytes, now)
	b.groups.Give(p, c.groups, now)
	b.members.Give(p, c.members, now)
}

// affordGroup refuses who has nothing left to make a group of, before the database is asked
// about each of its members.
func (s *Service) affordGroup(ctx context.Context) error {
	payer, now := limit.PayerOf(ctx), s.now()
	if err := s.budgets.groups.Take(payer, 0, now); err != nil {
		return err
	}
	return s.budgets.members.Take(payer, 0, now)
}

// write runs f in a transaction that writes to a conversation, see [Store], at the expense of who
// pays for ctx, see [limit.PaidBy]. All that users ask to have written comes through here, but marks. What f costs
// is known when it has run: who has nothing left is refused before, and who had something may be
// in debt afterwards. A transaction of which nothing is kept, as when the disk is full, costs
// nothing.
func (s *Service) write(ctx context.Context, conversation string, f func(Tx) error) error {
	payer := limit.PayerOf(ctx)
	if err := s.budgets.bytes.Take(payer, 0, s.now()); err != nil {
		return err
	}
	var spent costs
	giveBack := func() {
		if spent != (costs{}) {
			s.budgets.give(payer, spent, s.now())
		}
		spent = costs{}
	}
	err := s.store.Write(ctx, conversation, func(tx Tx) error {
		giveBack() // f runs again
		counted := &counted{Tx: tx}
		if err := f(counted); err != nil {
			return err
		}
		c := counted.made
		c.bytes = tx.Written()
		if err := s.budgets.take(payer, c, s.now()); err != nil {
			return err
		}
		spent = c
		return nil
	})
	if err != nil { // nothing was kept
		giveBack()
	}
	return err
}

// counted is a transaction that counts what is made in it.
type counted struct {
	Tx
	made costs
}

func (c *counted) PutConversation(h Head) (bool, error) {
	if h.Kind == Group {
		c.made.groups++
	}
	return c.Tx.PutConversation(h)
}

// PutParticipations counts the members whom somebody has added to their own self.
func (c *counted) PutParticipations(conversation string, rows []Participation) (Head, error) {
	c.made.members += len(rows) - 1
	return c.Tx.PutParticipations(conversation, rows)
}
