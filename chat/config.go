package chat

import (
	"cmp"
	"fmt"
)

// Config bounds what one user may write. The zero Config runs.
type Config struct {
	MessageBytes   int `toml:"message_bytes"`   // text and data of one message; 0: 16384
	Members        int `toml:"members"`         // members of one conversation; 0: 100
	NameBytes      int `toml:"name_bytes"`      // name of a user or a conversation; 0: 128
	PageSize       int `toml:"page_size"`       // messages, conversations or events in one answer; 0: 100
	Objects        int `toml:"objects"`         // user objects of one user; 0: 100
	ObjectBytes    int `toml:"object_bytes"`    // value of one user object; 0: 8192
	ReceiptMembers int `toml:"receipt_members"` // in conversations with more members receipts reach only the reader's own tabs; 0: 50

	Reach Reach `toml:"-"` // its own table, [reach]
}

// Reach says who may open a conversation with whom.
type Reach struct {
	Guests []string `toml:"guests"` // the only users that guests may reach, and whom everyone may; empty: guests reach everyone
	Users  string   `toml:"users"`  // whom users may reach: "everyone", "contacts" (a direct conversation exists) or "groups" (both in one group); "": everyone
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
		ObjectBytes:    8 << 10,
		ReceiptMembers: 50,
		Reach:          Reach{Users: ReachEveryone},
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	for key, n := range map[string]int{
		"message_bytes": c.MessageBytes, "members": c.Members, "name_bytes": c.NameBytes, "page_size": c.PageSize,
		"objects": c.Objects, "object_bytes": c.ObjectBytes, "receipt_members": c.ReceiptMembers,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, want 0 or more", key, n)
		}
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

func (c Config) withDefaults() Config {
	d := Defaults()
	c.MessageBytes = cmp.Or(c.MessageBytes, d.MessageBytes)
	c.Members = cmp.Or(c.Members, d.Members)
	c.NameBytes = cmp.Or(c.NameBytes, d.NameBytes)
	c.PageSize = cmp.Or(c.PageSize, d.PageSize)
	c.Objects = cmp.Or(c.Objects, d.Objects)
	c.ObjectBytes = cmp.Or(c.ObjectBytes, d.ObjectBytes)
	c.ReceiptMembers = cmp.Or(c.ReceiptMembers, d.ReceiptMembers)
	c.Reach.Users = cmp.Or(c.Reach.Users, d.Reach.Users)
	return c
}
