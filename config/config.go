// Package config is what an operator may set: the tables of the TOML file, each the
// Config of the package that obeys it, and the same keys from the environment. It
// reads, adds defaults, and says what is wrong and where.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"carillon/auth"
	"carillon/bus"
	"carillon/call"
	"carillon/chat"
	"carillon/files"
	"carillon/front"
	"carillon/preview"
	"carillon/settings"
	"carillon/sfu"
	"carillon/signaling"
	"carillon/store"
	"carillon/tcp"
	"carillon/turn"
)

// Config is the whole file. Zero fields mean [Defaults], which run on loopback.
type Config struct {
	// Data is the folder of the database and of generated secrets.
	// Empty: $XDG_DATA_HOME/carillon, else ~/.local/share/carillon.
	Data string `toml:"data"`
	// Log is the lowest level that is logged: debug, info, warn or error.
	Log string `toml:"log"`

	// HTTP is where pages, the WebSocket and the REST API are served.
	HTTP HTTP `toml:"http"`
	// Private is where metrics, health and profiles are served. Keep it from the public.
	Private Private `toml:"private"`
	// Auth is how users prove who they are.
	Auth auth.Config `toml:"auth"`
	// Reach is who may write to whom and call whom.
	Reach chat.Reach `toml:"reach"`
	// Chat bounds conversations and messages.
	Chat chat.Config `toml:"chat"`
	// Files is where files that people send are kept, and how large and many they may be.
	Files files.Config `toml:"files"`
	// Call is how long a call waits for what, and how many calls a user may make.
	Call call.Config `toml:"call"`
	// Signaling bounds the connections of tabs.
	Signaling signaling.Config `toml:"signaling"`
	// Media is the SFU: where sound and pictures arrive, and how many there may be.
	Media sfu.Config `toml:"media"`
	// Turn is the TURN server, which relays media for users whose network lets nothing else through.
	Turn turn.Config `toml:"turn"`
	// ICE is the TURN servers of others, beside our own or (with turn.off) instead of it.
	ICE ICE `toml:"ice"`
	// Previews is what the server looks at behind links in messages.
	Previews preview.Config `toml:"previews"`
	// Store is the database.
	Store store.Config `toml:"store"`
	// Bus connects several servers that serve one site.
	Bus bus.Config `toml:"bus"`

	file   string // the configuration file; empty: none
	places places // where each key was set, for messages
}

// Defaults is what an empty file means.
func Defaults() Config {
	connections := tcp.Defaults()
	// Each tab has one as long as it is open, and a company's or a carrier's all come from one
	// address.
	connections.Connections, connections.ConnectionsPerAddress = 100_000, 10_000
	media := sfu.Defaults()
	media.Listen = "127.0.0.1:7900"
	messages := chat.Defaults()
	reach := messages.Reach
	messages.Reach = chat.Reach{} // it has its own table
	return Config{
		Log:       "info",
		HTTP:      HTTP{Listen: "127.0.0.1:8080", ForwardedHeader: front.XForwardedFor, TCP: connections},
		Private:   Private{Listen: "127.0.0.1:9090"},
		Auth:      auth.Defaults(),
		Reach:     reach,
		Chat:      messages,
		Files:     files.Defaults(),
		Call:      call.Defaults(),
		Signaling: signaling.Defaults(),
		Media:     media,
		Turn:      turn.Defaults(),
		ICE:       ICE{CredentialSeconds: 86400},
		Previews:  preview.Defaults(),
		Store:     store.Defaults(),
		Bus:       bus.Defaults(),
	}
}

// Load reads the file (none when path is empty) over the defaults, then the environment
// over the file. An unknown key, a wrong type and a bad value are errors that name the
// key and where it stands.
func Load(path string, environ []string) (Config, error) {
	c := Defaults()
	c.places = places{}
	if path != "" {
		text, err := read(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := decode(text, &c); err != nil {
			return c, fmt.Errorf("%s%w", path, err)
		}
		c.file = path
		c.places.find(path, text)
	}
	if err := overlay(&c, environ); err != nil {
		return c, err
	}
	return c.filled(), nil
}

// maxFile is far more than a configuration has.
const maxFile = 1 << 20

// read reads a file, which may be a pipe, but none that has no end.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return text, err
}

// filled gives keys that were set to zero or to nothing their defaults. The table [turn]
// does so itself: there an empty list of listeners may mean none.
func (c Config) filled() Config {
	turn := c.Turn
	c = settings.Fill(c, Defaults())
	c.Turn = turn
	return c
}

// LogLevel is the lowest level that is logged.
func (c Config) LogLevel() (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(c.Log)); err != nil {
		return 0, fmt.Errorf("log: %q is none of debug, info, warn, error", c.Log)
	}
	return level, nil
}

// mistake is what is wrong at one line of the file. Its text begins with ":LINE:", so that the
// name of the file can stand before it.
type mistake struct {
	line int
	what string
}

func (m mistake) Error() string { return fmt.Sprintf(":%d: %s", m.line, m.what) }

func decode(text []byte, c *Config) error {
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := d.Decode(c)
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		first := unknown.Errors[0]
		line, _ := first.Position()
		key := strings.Join(first.Key(), ".")
		return mistake{line, fmt.Sprintf("unknown key %s%s", key, similar(key, fields(c)))}
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := wrong.Position()
		key := strings.Join(wrong.Key(), ".")
		if want := wantedAt(key, fields(c)); want != "" {
			return mistake{line, key + ": want " + want}
		}
		return mistake{line, strings.TrimPrefix(key+": ", ": ") + wrong.Error()}
	}
	return err
}

// Validate refuses what cannot run, and what would run but must not: an address that
// others can reach while anyone may sign in under any name. The error says where the key
// was set that is to be changed.
func (c Config) Validate() error { return c.Locate(c.validate()) }

func (c Config) validate() error {
	if _, err := c.LogLevel(); err != nil {
		return err
	}
	for _, table := range []struct {
		name     string
		validate func() error
	}{
		{"http", c.HTTP.validate},
		{"auth", c.Auth.Validate},
		{"reach", c.Reach.Validate},
		{"chat", c.Chat.Validate},
		{"files", c.Files.Validate},
		{"call", c.Call.Validate},
		{"media", c.Media.Validate},
		{"ice", c.ICE.validate},
		{"signaling", c.Signaling.Validate},
		{"previews", c.Previews.Validate},
		{"store", c.Store.Validate},
		{"bus", c.Bus.Validate},
		{"turn", c.validateTurn},
	} {
		if err := table.validate(); err != nil {
			return fmt.Errorf("%s.%w", table.name, err)
		}
	}
	if c.Auth.Guests && len(c.Reach.Guests) == 0 && !c.Auth.Demo() {
		return errors.New("reach.guests: with auth.guests anyone may come, so name the users whom guests may reach, such as [\"support\"]")
	}
	if c.Auth.Guests && c.Bus.URL != "" && c.Auth.Secret == "" {
		return errors.New("auth.secret: with bus.url each node must know the guests of the others, so give them all the same (openssl rand -base64 32)")
	}
	if f := c.Files; !f.Off && c.Bus.URL != "" && f.Secret == "" && (f.Folder != "" || f.S3.Bucket != "") {
		return errors.New("files.secret: with bus.url the addresses of files must be good on each node, so give them all the same (openssl rand -base64 32)")
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

// validateTurn leaves out an address that TURN shares with HTTP: its certificate is HTTP's.
func (c Config) validateTurn() error {
	t := c.Turn
	t.TLS = slices.DeleteFunc(slices.Clone(t.TLS), func(address string) bool { return address == c.HTTP.Listen })
	if len(t.TLS) < len(c.Turn.TLS) && c.HTTP.Cert == "" && len(c.HTTP.ACME) == 0 {
		return fmt.Errorf("tls: %s is shared with http.listen, which has no certificate: set http.cert and http.key, or http.acme", c.HTTP.Listen)
	}
	return t.Validate()
}

type listener struct{ key, address string }

func (c Config) listeners() []listener {
	all := []listener{{"http.listen", c.HTTP.Listen}, {"media.listen", c.Media.Listen}}
	if !c.Turn.Off {
		for _, l := range []struct {
			key       string
			addresses []string
		}{{"turn.udp", c.Turn.UDP}, {"turn.tcp", c.Turn.TCP}, {"turn.tls", c.Turn.TLS}} {
			for _, a := range l.addresses {
				all = append(all, listener{l.key, a})
			}
		}
	}
	return append(all, listener{"private.listen", c.Private.Listen})
}

func isPublic(address string) (bool, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return false, err
	}
	return !a.Addr().IsLoopback(), nil
}
