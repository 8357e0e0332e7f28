package turn

import "testing"

func TestOneListenerIsAllThatListens(t *testing.T) {
	for name, test := range map[string]struct {
		set      Config
		udp, tls int
	}{
		"nothing set": {Config{}, 1, 0},
		"only TLS":    {Config{TLS: []string{"127.0.0.1:5349"}}, 0, 1},
		"no UDP":      {Config{UDP: []string{}, TCP: []string{"127.0.0.1:3478"}}, 0, 0},
	} {
		got := test.set.filled()
		if len(got.UDP) != test.udp || len(got.TLS) != test.tls {
			t.Errorf("%s: got udp %v and tls %v, want %d and %d", name, got.UDP, got.TLS, test.udp, test.tls)
		}
	}
}
