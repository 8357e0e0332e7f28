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
	// NameBytes is the longest name of a user or a conversation.
	NameBytes int `toml:"name_bytes"`
	// PageSize is how many messages, conversations or events one answer may hold.
	PageSize int `toml:"page_size"`
	// Objects is how many user objects one user may have.
	Objects int `toml:"objects"`
	// Contacts is how many contacts one user may add.
	Contacts int `toml:"contacts"`
	// ObjectBytes is the most that the value of one user object may have.
	ObjectBytes int `toml:"object_bytes"`
	// ReceiptMembers is how many members a conversation may have for all of them to get each
	// receipt. In larger ones a receipt reaches only the tabs of the user who read.
	ReceiptMembers int `toml:"receipt_members"`

	Reach Reach `toml:"-"` // the table [reach]
}

// Reach says who may open a conversation with whom.
type Reach struct {
	// Guests lists the only users that guests may write to and ring, beside those who wrote to
	// them first; everyone may reach them. With auth.guests it must name somebody. Empty: in the demo,
	// guests reach everyone.
	Guests []string `toml:"guests"`
	// GuestGroups lets guests make groups.
	GuestGroups bool `toml:"guest_groups"`
	// Users says whom users may reach: "everyone", "contacts" (who has added them, or has written to them or called them) or
	// "groups" (both are in one group). Whoever may not be reached is not rung either, in a group neither.
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
		MessageBytes:   16 << 10,
		Members:        100,
		NameBytes:      128,
		PageSize:       100,
		Objects:        100,
		Contacts:       1000,
		ObjectBytes:    8 << 10,
		ReceiptMembers: 50,
		Reach:          Reach{Users: ReachEveryone},
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
