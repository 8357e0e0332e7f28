package preview

import (
	"fmt"

	"carillon/settings"
)

// Config is which links are previewed, and what that may cost. Zero fields mean [Defaults].
type Config struct {
	// Disabled makes no previews. Those of messages that have one stay.
	Disabled bool `toml:"disabled"`
	// Deny lists hosts that are never asked, nor any below them, such as example.com. Empty: none.
	Deny []string `toml:"deny"`
	// AllowAddresses lists addresses and CIDRs that are asked although they are private, loopback,
	// this machine's, or otherwise not those of public hosts: those of an intranet. DANGEROUS: whoever may
	// write a message can then have this server ask for any page there. Listeners of this server stay closed. Empty: none.
	AllowAddresses []string `toml:"allow_addresses"`
	// Ports are those that are connected to, on every address. Empty: 80 and 443.
	Ports []int `toml:"ports"`

	// TimeoutSeconds is how long a page may take with all its redirects, and after it its picture.
	TimeoutSeconds int `toml:"timeout_seconds"`
	// Redirects is how many are followed.
	Redirects int `toml:"redirects"`
	// PageBytes is how much of a page is read, also after decompression.
	PageBytes int `toml:"page_bytes"`
	// PictureBytes is how large a picture may be as it comes.
	PictureBytes int `toml:"picture_bytes"`
	// PicturePixels is how many pixels it may have.
	PicturePixels int `toml:"picture_pixels"`
	// CacheHours is how long what was found behind a link is not asked for again, 24 at most. It
	// is kept also that nothing was found.
	CacheHours int `toml:"cache_hours"`

	// UserAtOnce is how many links of one user are looked at at a time. Who has more under way gets
	// no preview of the next; the same holds for all limits below.
	UserAtOnce int `toml:"user_at_once"`
	// AddressAtOnce is the same of all users of one address (IPv6: one /64), and of all its guests.
	AddressAtOnce int `toml:"address_at_once"`
	// AtOnce is the same of all users together.
	AtOnce int `toml:"at_once"`
	// GuestsAtOnce is the same of all guests together.
	GuestsAtOnce int `toml:"guests_at_once"`

	// Rates is how many links are looked at per minute; those of a minute may come at once.
	Rates Rates `toml:"rates"`
}

// Rates is how much may be asked for, see Config.Rates.
type Rates struct {
	// User is of each user.
	User int `toml:"user"`
	// Address is of all users of one address together.
	Address int `toml:"address"`
	// All is of all users together.
	All int `toml:"all"`
	// OneGuest is of each guest.
	OneGuest int `toml:"one_guest"`
	// GuestAddress is of all guests of one address together.
	GuestAddress int `toml:"guest_address"`
	// Guests is of all guests together.
	Guests int `toml:"guests"`
	// Target is how often one address (IPv6: one /64) is connected to, whoever asks: this server is no tool to
	// flood others with.
	Target int `toml:"target"`
	// Pictures is how many pictures one address is served in a minute from our store.
	Pictures int `toml:"pictures"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		Ports:          []int{80, 443},
		TimeoutSeconds: 5, Redirects: 3, PageBytes: 512 << 10, PictureBytes: 2 << 20, PicturePixels: 8_000_000, CacheHours: 24,
		UserAtOnce: 8, AddressAtOnce: 24, AtOnce: 64, GuestsAtOnce: 16,
		Rates: Rates{User: 30, Address: 300, All: 3000, OneGuest: 10, GuestAddress: 60, Guests: 300, Target: 300, Pictures: 3000},
	}
}

// Validate says which value makes no sense.
func (c Config) Validate() error {
	if err := settings.NonNegative(c); err != nil {
		return err
	}
	if c.CacheHours > 24 {
		return fmt.Errorf("cache_hours is %d, want 24 or less", c.CacheHours)
	}
	_, err := newPolicy(settings.Fill(c, Defaults()), nil)
	return err
}
