package turn

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// Whatever stands in a turnserver.conf, what is written is TOML that we read, and holds the
// same secrets and names.
func FuzzCoturn(f *testing.F) {
	for _, text := range []string{
		"listening-port=3478\nrealm=example.com\nuse-auth-secret\nstatic-auth-secret=hush\n",
		"user=alice:wonder\\land\nuser=bob:0x1234\ndenied-peer-ip=10.0.0.0-10.255.255.255\nallowed-peer-ip=::1\n",
		"realm=\"a\\b\"\nunknown=\a\v\rx\nexternal-ip=1.2.3.4/10.0.0.1\nmin-port=x\nmax-bps=9223372036854775807\n",
		"-realm=\x00\xff\u2028\n--cert=c\npkey=k\nlistening-ip=::1\nno-tls\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		if ImportCoturn(strings.NewReader(text), &out) != nil {
			return // a line too long
		}
		var read struct{ Turn Config }
		if err := toml.Unmarshal(out.Bytes(), &read); err != nil {
			t.Fatalf("%v in\n%q\nmade of\n%q", err, out.String(), text)
		}
		for _, secret := range read.Turn.Secrets {
			if !strings.Contains(text, secret) {
				t.Errorf("the secret %q does not stand in %q", secret, text)
			}
		}
		for name, password := range read.Turn.Users {
			if !strings.Contains(text, name) || !strings.Contains(text, password) {
				t.Errorf("the user %q, %q does not stand in %q", name, password, text)
			}
		}
	})
}
