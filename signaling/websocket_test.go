package signaling

import "testing"

func TestOrigins(t *testing.T) {
	allowed := []string{"https://shop.example"}
	for _, c := range []struct {
		origin, host string
		want         bool
	}{
		{"", "chat.example", true}, // not a browser
		{"https://chat.example", "chat.example", true},
		{"https://shop.example", "chat.example", true},
		{"http://shop.example", "chat.example", false},
		{"https://shop.example.evil.example", "chat.example", false},
		{"https://evil.example", "chat.example", false},
		{"null", "chat.example", false}, // a sandboxed frame, a file
		{"http://127.0.0.1:8080", "127.0.0.1:8080", true},
		{"http://127.0.0.1:8081", "127.0.0.1:8080", false},
		{"://", "", false},
	} {
		if got := originAllowed(c.origin, c.host, allowed); got != c.want {
			t.Errorf("%q at %q: got %v, want %v", c.origin, c.host, got, c.want)
		}
	}
	if !originAllowed("https://evil.example", "chat.example", []string{"*"}) {
		t.Error(`"*" does not allow any origin`)
	}
}
