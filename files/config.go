package files

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"carillon/settings"
)

// Config of the files that people send. Zero fields mean [Defaults].
type Config struct {
	Data   string `toml:"-"` // the data folder
	Shared bool   `toml:"-"` // several nodes serve one site

	// Off takes no files, and serves none.
	Off bool `toml:"off"`
	// Folder holds the files. Several nodes that share a database need one that all of them see, or a bucket.
	// Empty: files, in the data folder.
	Folder string `toml:"folder"`
	// Secret signs the addresses of files, at least 32 bytes. Nodes that share a database must have
	// the same. Empty: files.secret in the data folder, made at the first start.
	Secret string `toml:"secret"`
	// URLSeconds is how long the address of a file is good.
	URLSeconds int `toml:"url_seconds"`
	// InterruptedHours is how long an upload that stands still can be gone on with.
	InterruptedHours int `toml:"interrupted_hours"`
	// UnusedHours is how long a file is kept that is in no message.
	UnusedHours int `toml:"unused_hours"`
	// ImagePixels is how many pixels an image may have to get a thumbnail. Making one takes up to eight
	// bytes of memory for each, of one image at a time.
	ImagePixels int `toml:"image_pixels"`

	// S3 keeps finished files in a bucket instead of Folder, where uploads then only begin.
	S3 S3 `toml:"s3"`
	// Quota is how much may be kept, and how many uploads may run. A file counts as 4096 bytes at
	// least, and from the beginning of its upload on.
	Quota Quota `toml:"quota"`
	// Rates is how many uploads may begin in a minute and how many files may be asked for in a
	// second. Uploads of five minutes, and fetches of five seconds, may come at once.
	Rates Rates `toml:"rates"`
}

// S3 is a bucket of a service that speaks Amazon's protocol.
type S3 struct {
	// Bucket is its name; it must be there, and closed to the public. Empty: files are kept in a folder.
	Bucket string `toml:"bucket"`
	// Endpoint is the URL of the service, such as https://s3.eu-central-1.amazonaws.com.
	Endpoint string `toml:"endpoint"`
	// Region of the bucket. Empty: as the service says.
	Region string `toml:"region"`
	// Prefix is what the names of our objects begin with.
	Prefix string `toml:"prefix"`
	// AccessKey and SecretKey are what the service knows us by. Empty: AWS_ACCESS_KEY_ID and
	// AWS_SECRET_ACCESS_KEY of the environment, else the role of the machine.
	AccessKey string `toml:"access_key"`
	// SecretKey belongs to AccessKey.
	SecretKey string `toml:"secret_key"`
}

// Quota is how much may be kept, see Config.Quota.
type Quota struct {
	// FileBytes of one file.
	FileBytes int `toml:"file_bytes"`
	// UserBytes of all files of one user.
	UserBytes int `toml:"user_bytes"`
	// GuestBytes of all files of one guest.
	GuestBytes int `toml:"guest_bytes"`
	// AllBytes of all files of all users.
	AllBytes int `toml:"all_bytes"`
	// GuestsBytes of all files of all guests: anyone can become many.
	GuestsBytes int `toml:"guests_bytes"`
	// FreeBytes stay free on the disk on which uploads begin, for the database and whatever else is there.
	FreeBytes int `toml:"free_bytes"`

	// UserUploads of one user run at a time.
	UserUploads int `toml:"user_uploads"`
	// AddressUploads of all users of one address (IPv6: one /64), and as many of all its guests.
	AddressUploads int `toml:"address_uploads"`
	// Uploads of all users.
	Uploads int `toml:"uploads"`
	// GuestsUploads of all guests.
	GuestsUploads int `toml:"guests_uploads"`
}

// Rates is how much may be asked, see Config.Rates.
type Rates struct {
	// UserUploads that one user begins in a minute.
	UserUploads int `toml:"user_uploads"`
	// AddressUploads of all users of one address (IPv6: one /64).
	AddressUploads int `toml:"address_uploads"`
	// GuestUploads of one guest.
	GuestUploads int `toml:"guest_uploads"`
	// GuestAddressUploads of all guests of one address.
	GuestAddressUploads int `toml:"guest_address_uploads"`
	// UserFetches are files, or parts of files, that one user asks for in a second.
	UserFetches int `toml:"user_fetches"`
	// AddressFetches of all users of one address, and as many of all its guests.
	AddressFetches int `toml:"address_fetches"`
}

// Defaults is what the zero Config means.
func Defaults() Config {
	return Config{
		URLSeconds: 3600, InterruptedHours: 24, UnusedHours: 24, ImagePixels: 25_000_000,
		Quota: Quota{
			FileBytes: 256 << 20, UserBytes: 4 << 30, GuestBytes: 64 << 20, AllBytes: 100 << 30, GuestsBytes: 4 << 30, FreeBytes: 512 << 20,
			UserUploads: 6, AddressUploads: 100, Uploads: 500, GuestsUploads: 100,
		},
		Rates: Rates{
			UserUploads: 60, AddressUploads: 600, GuestUploads: 10, GuestAddressUploads: 100,
			UserFetches: 100, AddressFetches: 2000,
		},
	}
}

const minSecret = 32 // bytes, as those of tokens

// Validate says which value makes no sense.
func (c Config) Validate() error {
	if c.Secret != "" && len(c.Secret) < minSecret {
		return fmt.Errorf("secret: %d bytes, need at least %d; make one with: openssl rand -base64 32", len(c.Secret), minSecret)
	}
	if err := c.S3.validate(); err != nil {
		return fmt.Errorf("s3.%w", err)
	}
	if c.S3.Bucket != "" && c.Quota.FileBytes > mostObject {
		return fmt.Errorf("quota.file_bytes: a file in a bucket has at most %d bytes", int64(mostObject))
	}
	return settings.NonNegative(c)
}

func (c S3) validate() error {
	if c.Bucket == "" {
		if c.Endpoint != "" {
			return errors.New("bucket: name the bucket of files.s3.endpoint")
		}
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("endpoint: %q is no URL such as https://s3.eu-central-1.amazonaws.com", c.Endpoint)
	}
	if (c.AccessKey == "") != (c.SecretKey == "") {
		return errors.New("access_key: give it and files.s3.secret_key both, or neither")
	}
	return nil
}

// Closed says why this node takes no files; empty: it does.
func (c Config) Closed() string {
	switch {
	case c.Off:
		return "This server takes no files (files.off)."
	case c.Shared && c.Folder == "" && c.S3.Bucket == "":
		return "This server takes no files: its nodes share no place for them (files.s3, files.folder)."
	}
	return ""
}

func (c Config) urlTime() time.Duration     { return time.Duration(c.URLSeconds) * time.Second }
func (c Config) interrupted() time.Duration { return time.Duration(c.InterruptedHours) * time.Hour }
func (c Config) unused() time.Duration      { return time.Duration(c.UnusedHours) * time.Hour }
