package chat

import (
	"fmt"

	"carillon/settings"
)

// Config bounds what one user may write. Zero fields mean [Defaults].
type Config struct {
	// MessageBytes is the most that the text and data of one message may have.
	MessageBytes int `toml:"message_bytes"`
	// Members is how many members one conversation may have.
	Members int `toml:"members"`
	// LargeGroup is how many members a conversation may have for each change to be told to each of
	// them by name. A larger one stays large: nodes are told, and nobody is told who has got a message.
	LargeGroup int `toml:"large_group"`
	// NameBytes is the longest name of a user or a conversation.
	NameBytes int `toml:"name_bytes"`
	// PageSize is how many messages, conversations or other items one answer may hold.
	PageSize int `toml:"page_size"`
	// PageBytes is how many bytes of them it may hold. One that has more comes alone.
	PageBytes int `toml:"page_bytes"`
	// Invitations is how many invitations into groups may wait for one user. More are refused.
	Invitations int `toml:"invitations"`
	// InvitationsPerPair is how many of them may come from the same user.
	InvitationsPerPair int `toml:"invitations_per_pair"`
	// Objects is how many user objects one user may have.
	Objects int `toml:"objects"`
	// ObjectsBytes is how many bytes all objects of one user may have, as JSON with their keys.
	ObjectsBytes int `toml:"objects_bytes"`
	// EditMinutes is how long after it was sent its sender may edit a message.
	EditMinutes int `toml:"edit_minutes"`
	// RecallMinutes is how long after it was sent its sender may take a message away from everyone.
	RecallMinutes int `toml:"recall_minutes"`
	// Hidden is how many messages one user may remove for themselves alone.
	Hidden int `toml:"hidden"`
	// Reactions is with how many different emoji a message may be reacted to.
	Reactions int `toml:"reactions"`
	// UserReactions is with how many of them one user may react to one message.
	UserReactions int `toml:"user_reactions"`
	// Drafts is how many conversations one user may have a draft in.
	Drafts int `toml:"drafts"`
	// DraftsBytes is how many bytes all drafts of one user may have, as JSON.
	DraftsBytes int `toml:"drafts_bytes"`
	// Blocks is how many users one user may block.
	Blocks int `toml:"blocks"`
	// Contacts is how many contacts a user may have, those included whom they wrote to, before they may add no more.
	Contacts int `toml:"contacts"`
	// ObjectBytes is the most that the value of one user object may have.
	ObjectBytes int `toml:"object_bytes"`
	// MarksMembers is how many members a conversation may have for all of them to be told what each
	// of the others has got and read. In larger ones they are told how many have.
	MarksMembers int `toml:"marks_members"`

	// Rates is how much one user, and all users of one address, may have stored. Bytes count per
	// second, and those of four minutes may come at once; groups and members count per hour, and
	// those of an hour may come at once. More are refused as rate_limited.
	Rates Rates `toml:"rates"`

	Reach Reach `toml:"-"` // the table [reach]
}

// Rates is how much may be stored, see Config.Rates.
type Rates struct {
	// UserBytes of disk that one user's messages, groups, marks and objects take.
	UserBytes int `toml:"user_bytes"`
	// AddressBytes of all users of one address (IPv6: one /64).
	AddressBytes int `toml:"address_bytes"`
	// OneGuestBytes is user_bytes of a guest. It is an eighth of what an address has for its
	// guests, and that an eighth of what all have, so that neither leaves nothing to the others.
	OneGuestBytes int `toml:"one_guest_bytes"`
	// GuestAddressBytes of all guests of one address. They take nothing from its users.
	GuestAddressBytes int `toml:"guest_address_bytes"`
	// GuestBytes of all guests together.
	GuestBytes int `toml:"guest_bytes"`
	// UserGroups that one user makes.
	UserGroups int `toml:"user_groups"`
	// AddressGroups that the users of one address make, and as many its guests.
	AddressGroups int `toml:"address_groups"`
	// UserMembers is to how many others one user opens a direct conversation, or makes them members
	// of a group.
	UserMembers int `toml:"user_members"`
	// AddressMembers is the same for all users of one address, and as many for its guests.
	AddressMembers int `toml:"address_members"`
}

// Reach says who may open a conversation with whom.
type Reach struct {
	// Guests lists the only users that guests may write to and ring, beside those who wrote to
	// them first; everyone may reach them. With auth.guests it must name somebody. Empty: in the demo,
	// guests reach everyone.
	Guests []string `toml:"guests"`
	// GuestGroups lets guests make groups.
	GuestGroups bool `toml:"guest_groups"`
	// Known lists users who can be written to, called and made members before they have signed in
	// for the first time, beside those in guests. "*": whatever id somebody names. Empty: in the
	// demo, whatever id somebody names.
	Known []string `toml:"known"`
	// Users says whom users may write to and ring: "everyone"; "contacts": who has added them, or has written to them or called
	// them; "groups": these, and members of a common group. In a group only these are rung by them. Whom a user may write to
	// so, and the members of their groups, show them when they are here.
	Users string `toml:"users"`
}

// The values of Reach.Users.
const (
	ReachEveryone = "everyone"
	ReachContacts = "contacts"
	ReachGroups   = "groups"
)

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		MessageBytes: 16 << 10,
		Members:      10_000,
		LargeGroup:   1000,
		NameBytes:    128,
		PageSize:     100,
		PageBytes:    48 << 10,
		Invitations:  100, InvitationsPerPair: 5,
		Objects:     100,
		EditMinutes: 24 * 60, RecallMinutes: 60,
		Hidden:    10_000,
		Reactions: 20, UserReactions: 3,
		Drafts:       1000,
		DraftsBytes:  256 << 10,
		Blocks:       1000,
		Contacts:     10_000,
		ObjectBytes:  8 << 10,
		ObjectsBytes: 256 << 10,
		MarksMembers: 50,
		Rates: Rates{
			UserBytes: 64 << 10, AddressBytes: 1 << 20,
			OneGuestBytes: 16 << 10, GuestAddressBytes: 128 << 10, GuestBytes: 1 << 20,
			UserGroups: 100, AddressGroups: 1000, UserMembers: 1000, AddressMembers: 10_000,
		},
		Reach: Reach{Users: ReachEveryone},
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	if err := settings.NonNegative(c); err != nil {
		return err
	}
	return c.Reach.Validate()
}

// Validate says which value makes no sense.
func (r Reach) Validate() error {
	switch r.Users {
	case "", ReachEveryone, ReachContacts, ReachGroups:
		return nil
	}
	return fmt.Errorf("users is %q, want %q, %q or %q", r.Users, ReachEveryone, ReachContacts, ReachGroups)
}

func (c Config) filled() Config {
	d := Defaults()
	c = settings.Fill(c, d)
	c.Reach = settings.Fill(c.Reach, d.Reach)
	return c
}
