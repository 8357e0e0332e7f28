package doctor

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pion/stun/v4"
)

// The answer of a server that is not ours makes doctor neither fall nor ask without end.
func FuzzAnswer(f *testing.F) {
	f.Add("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=candidate:1 1 udp 1 127.0.0.1 7900 typ host\r\n")
	f.Add("v=0\r\n" + strings.Repeat("a=candidate:1 1 tcp 1 ::1 1 typ host\r\n", 100))
	f.Add("m=")
	f.Fuzz(func(t *testing.T, answer string) {
		c := NewCaller("http", netip.MustParseAddrPort("127.0.0.1:1"), "")
		if c.read(answer) == nil && (c.ufrag == "" || c.password == "") {
			t.Error("accepted without credentials")
		}
		if n := len(c.UDP) + len(c.TCP); n > 2*maxAddresses {
			t.Errorf("it would ask %d addresses", n)
		}
	})
}

// Bytes that are no answer to what was asked are not taken for one.
func FuzzSTUN(f *testing.F) {
	request, err := stun.Build(stun.NewTransactionIDSetter([12]byte{1}), stun.BindingRequest)
	if err != nil {
		f.Fatal(err)
	}
	answer, err := stun.Build(stun.NewTransactionIDSetter([12]byte{1}), stun.BindingSuccess)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer.Raw)
	f.Add(request.Raw)
	f.Add([]byte{1, 1, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if answers(b, request) && (len(b) < 20 || string(b[8:20]) != string(request.TransactionID[:])) {
			t.Errorf("%x is taken for the answer", b)
		}
	})
}

// The note of a running server may have been cut, or written by an older one.
func FuzzRunning(f *testing.F) {
	f.Add("pid 1\nhttp http://127.0.0.1:8080\nmedia-udp udp://[::1]:7900\nturn-udp turn:127.0.0.1:3478?transport=udp\nready\n")
	f.Add("http http://:::\nturn- turn:\npid x")
	f.Fuzz(func(t *testing.T, text string) {
		r := &running{}
		for line := range strings.Lines(text) {
			if name, url, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
				r.lines = append(r.lines, announced{name, url})
			}
		}
		_, _ = r.site()
		for _, l := range r.lines {
			_ = portOf(l.url)
			_ = hostPort(l.url)
		}
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, runningFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := findRunning(folder); found != nil || err != nil {
			t.Errorf("nobody holds the lock, and it found %v, %v", found, err)
		}
	})
}
