// Package config is what an operator may set: the tables of the TOML file, each the
// Config of the package that obeys it, and the same keys from the environment. It
// reads, adds defaults, and says what is wrong and where.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"carillon/auth"
)

// Config is the whole file. Its zero value, filled by [Defaults], runs on loopback.
type Config struct {
	// Data is the folder of the database and of generated secrets.
	// Empty: $XDG_DATA_HOME/carillon, else ~/.local/share/carillon.
	Data string `toml:"data"`
	// Log is debug, info, warn or error. Empty: info.
	Log string `toml:"log"`

	HTTP    HTTP        `toml:"http"`
	Private Private     `toml:"private"`
	Auth    auth.Config `toml:"auth"`
}

// Defaults is what an empty file means.
func Defaults() Config {
	return Config{
		Log:     "info",
		HTTP:    HTTP{Listen: "127.0.0.1:8080"},
		Private: Private{Listen: "127.0.0.1:9090"},
		Auth:    auth.Defaults(),
	}
}

// Load reads the file (none when path is empty) over the defaults, then the environment
// over the file. An unknown key, a wrong type and a bad value are errors that name the
// key and where it stands.
func Load(path string, environ []string) (Config, error) {
	c := Defaults()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := decode(text, &c); err != nil {
			return c, fmt.Errorf("%s%w", path, err)
		}
	}
	if err := overlay(&c, environ); err != nil {
		return c, err
	}
	return c, nil
}

// position is a mistake in the file: ":LINE: what is wrong".
type position struct {
	line int
	what string
}

func (p position) Error() string { return fmt.Sprintf(":%d: %s", p.line, p.what) }

func decode(text []byte, c *Config) error {
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := d.Decode(c)
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		first := unknown.Errors[0]
		line, _ := first.Position()
		return position{line, fmt.Sprintf("unknown key %s", strings.Join(first.Key(), "."))}
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := wrong.Position()
		return position{line, strings.TrimPrefix(strings.Join(wrong.Key(), ".")+": ", ": ") + wrong.Error()}
	}
	return err
}

// Validate refuses what cannot run, and what would run but must not: an address that
// others can reach while anyone may sign in under any name.
func (c Config) Validate() error {
	if err := c.HTTP.validate(); err != nil {
		return err
	}
	if err := c.Auth.Validate(); err != nil {
		return err
	}
	for _, l := range c.listeners() {
		public, err := isPublic(l.address)
		if err != nil {
			return fmt.Errorf("%s: %q is not ADDRESS:PORT, such as 127.0.0.1:8080 or [::]:443", l.key, l.address)
		}
		if public && c.Auth.Demo() {
			return fmt.Errorf("%s: %s can be reached by others, and anyone could sign in under any name. Set auth.keys to the key with which your backend signs tokens (or auth.jwks_url), or listen on 127.0.0.1", l.key, l.address)
		}
	}
	return nil
}

type listener struct{ key, address string }

func (c Config) listeners() []listener {
	return []listener{
		{"http.listen", c.HTTP.Listen},
		{"private.listen", c.Private.Listen},
	}
}

func isPublic(address string) (bool, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return false, err
	}
	return !a.Addr().IsLoopback(), nil
}
