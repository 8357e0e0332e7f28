package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func load(t *testing.T, text string, environ ...string) (Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file, environ)
}

func TestEmptyFileRuns(t *testing.T) {
	c, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestZeroAndEmptyMeanTheDefault(t *testing.T) {
	c, err := load(t, "log = \"\"\n[http]\nlisten = \"\"\n[call]\nring_seconds = 0\n[signaling.rates]\nframes = 0\n[ice]\ncredential_seconds = 0\n[chat]\npage_size = 7",
		"CARILLON_MEDIA_LISTEN=", "CARILLON_REACH_USERS=")
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Chat.PageSize = 7
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Errorf("not the defaults:\n%s", diff)
	}
}

func TestMistakesNameTheirKeyAndLine(t *testing.T) {
	for _, test := range []struct {
		name, text string
		environ    []string
		want       []string
	}{
		{"unknown key", "[http]\nlisten = \"127.0.0.1:1\"\nlistne = \"x\"", nil, []string{":3:", "http.listne", "did you mean http.listen?"}},
		{"unknown table", "\n[htp]\nlisten = \"x\"", nil, []string{":2:", "htp"}},
		{"wrong type", "[auth]\n\nguests = \"yes\"", nil, []string{":3: auth.guests: want true or false"}},
		{"text for a number", "[call]\nring_seconds = \"45\"", nil, []string{":2: call.ring_seconds: want a whole number"}},
		{"number for a table", "[turn]\npeers = 3", nil, []string{":2: turn.peers: want a table", "[turn.peers]"}},
		{"text for a list", "[turn]\nsecrets = \"one\"", nil, []string{":2: turn.secrets: want a list"}},
		{"not TOML", "http = [", nil, []string{":1:"}},
		{"unknown variable", "", []string{"CARILLON_HTTP_LISTNE=x"}, []string{"CARILLON_HTTP_LISTNE", "did you mean CARILLON_HTTP_LISTEN?"}},
		{"wrong variable", "", []string{"CARILLON_AUTH_GUESTS=perhaps"}, []string{"CARILLON_AUTH_GUESTS", "perhaps"}},
		{"not an address", "[http]\nlisten = \"8080\"", nil, []string{":2: http.listen", "8080"}},
		{"not a proxy's address", "[http]\ntrusted_proxies = [\"proxy.example\"]", nil, []string{":2: http.trusted_proxies", "proxy.example"}},
		{"not a header of proxies", "[http]\nforwarded_header = \"X-Real-IP\"", nil, []string{":2: http.forwarded_header", "X-Real-IP", "X-Forwarded-For"}},
		{"guests who reach everyone", "[auth]\nguests = true\n[auth.keys]\nsite = \"01234567890123456789012345678901\"\n[reach]\nguests = []", nil, []string{":6: reach.guests", "auth.guests"}},
		{"half a certificate", "[http]\ncert = \"x.pem\"", nil, []string{"http.cert", "http.key"}},
		{"public demo", "[http]\nlisten = \"0.0.0.0:8080\"", nil, []string{"http.listen", "auth.keys"}},
		{"public short key", "[http]\nlisten = \"[::]:8080\"\n[auth.keys]\nsite = \"short\"", nil, []string{":4: auth.keys.site", "32"}},
		{"negative count", "[media]\nvideo_packets = -1", nil, []string{"media.video_packets", "-1"}},
		{"negative count below", "[media.udp]\nqueue_packets = -1", nil, []string{":2: media.udp.queue_packets", "-1"}},
		{"not an IP address", "[media]\nadvertise = [\"example.com\"]", nil, []string{"media.advertise", "example.com"}},
		{"bad value from the environment", "", []string{"CARILLON_MEDIA_ADVERTISE=example.com"}, []string{"CARILLON_MEDIA_ADVERTISE: media.advertise", "example.com"}},
		{"bad log level", "log = \"loud\"", nil, []string{":1: log", "loud", "debug"}},
		{"dotted key", "call.ring_seconds = 5", nil, []string{":1: call.ring_seconds", "15 to 120"}},
		{"negative rate", "[signaling.rates]\nframes = -1", nil, []string{"signaling.rates.frames", "-1"}},
		{"negative time of TURN", "[turn.limits]\nidle_seconds = -1\nanswers = -1", nil, []string{":2: turn.limits.idle_seconds", "-1"}},
		{"negative queue", "[bus]\nqueue = -1", nil, []string{"bus.queue", "-1"}},
		{"negative time", "[auth]\nleeway_seconds = -1", nil, []string{"auth.leeway_seconds", "-1"}},
		{"credentials that are over", "[ice]\ncredential_seconds = -1", nil, []string{"ice.credential_seconds", "-1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := load(t, test.text, test.environ...)
			if err == nil {
				err = c.Validate()
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to name %q", err, want)
				}
			}
		})
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	c, err := load(t, "[http]\nlisten = \"127.0.0.1:1\"",
		"CARILLON_HTTP_LISTEN=127.0.0.1:2", "CARILLON_SIGNALING_ORIGINS=https://a.example, https://b.example",
		"CARILLON_AUTH_KEYS=site=0123456789012345678901234567890=", "CARILLON_AUTH_GUESTS=true", "PATH=/bin")
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTP.Listen != "127.0.0.1:2" || len(c.Signaling.Origins) != 2 || !c.Auth.Guests || c.Auth.Keys["site"] != "0123456789012345678901234567890=" {
		t.Errorf("got %+v", c)
	}
}

func TestAFlagIsNamedAsThePlaceOfItsValue(t *testing.T) {
	c, err := load(t, "[http]\nlisten = \"127.0.0.1:1\"")
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen = "8080"
	c.SetBy("--listen", "http.listen")
	if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "--listen: http.listen: ") {
		t.Errorf("got %v, want it to begin with the flag", err)
	}
}

func TestOtherErrorsAreNotLocated(t *testing.T) {
	c, err := load(t, "log = \"info\"")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []error{nil, errors.New("open database: disk full"), errors.New("")} {
		if got := c.Locate(other); got != other {
			t.Errorf("%v became %v", other, got)
		}
	}
}

func TestPublicWithKeysRuns(t *testing.T) {
	c, err := load(t, "[http]\nlisten = \"0.0.0.0:443\"\n[auth.keys]\nsite = \"01234567890123456789012345678901\"")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestSecretsAreMadeOnceAndPrivate(t *testing.T) {
	folder := t.TempDir()
	if _, err := ReadSecret(folder, "turn"); err == nil || !strings.Contains(err.Error(), "start carillon") {
		t.Errorf("before the first start: got %v, want advice", err)
	}
	first, err := Secret(folder, "turn")
	if err != nil || len(first) < 32 {
		t.Fatalf("got %q, %v", first, err)
	}
	again, err := ReadSecret(folder, "turn")
	if err != nil || string(again) != string(first) {
		t.Errorf("got another secret the second time: %v", err)
	}
	file := filepath.Join(folder, "turn.secret")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want mode 0600", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Secret(folder, "turn"); err == nil {
		t.Error("a damaged secret was taken")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("[http]\nlisten = \"127.0.0.1:1\""))
	f.Add([]byte("a = [[["))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Defaults()
		if decode(text, &c) == nil {
			_ = c.Validate()
		}
	})
}

func TestSecretsThatEverybodyMayReadAreNamed(t *testing.T) {
	const text = `data = "/srv"
[auth]
issuer = "https://example.com"
[auth.keys]
site = "0123456789012345678901234567890123456789"
[turn]
secrets = ["0123456789012345678901234567890123456789"]
[turn.users]
obs = "secret"
[store]
url = "postgres://carillon:sesame@db.example.com/carillon"
[bus]
url = "nats://one.example.com,nats://token@two.example.com"
`
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file, []string{"CARILLON_TURN_SECRETS=9876543210987654321098765432109876543210"})
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode][]string{
		0o600: nil,
		0o640: nil, // of a group that the administrator chose
		0o644: {file + ":11: store.url", file + ":13: bus.url", file + ":4: auth.keys", file + ":8: turn.users"},
	} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Exposed()); diff != "" {
			t.Errorf("mode %04o: %s", mode, diff)
		}
	}
	if err := os.WriteFile(file, []byte("[store]\nurl = \"postgres://carillon@db.example.com/carillon?passfile=/etc/carillon.pgpass\"\n[bus]\nurl = \"nats://one.example.com\""), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err = Load(file, nil); err != nil {
		t.Fatal(err)
	}
	if got := c.Exposed(); got != nil {
		t.Errorf("a file without secrets: got %v", got)
	}
}
