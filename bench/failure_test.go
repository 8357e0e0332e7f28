package bench

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/bench/report"
	"carillon/bench/target"
)

// fails brings a load to a server and wants an error that says so.
func fails(t *testing.T, spec, says string) {
	t.Helper()
	r := testRunner(t, Options{})
	server, err := target.ParseSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	// The error is the same after a shorter time than a run gives a server.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	b, err := r.openTestBed(ctx, group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 1, media: r.options.Media}, server)
	if b != nil {
		defer b.close()
	}
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want one that says %q", err, says)
	}
}

func TestAServerThatSpeaksNonsenseIsNamed(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"refuses":       {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "go away", http.StatusForbidden) }, "refuses: 403 Forbidden: go away"},
		"is a web site": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>welcome")) }, "no SDP: <html>welcome"},
		"answers rubbish": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte("v=0\r\nrubbish"))
		}, "read the server's answer"},
		"has no candidate": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(strings.Split(answerToWatch, "a=candidate")[0]))
		}, "no candidate"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "reach the server"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.handler)
			defer s.Close()
			fails(t, "whip="+s.URL+",whep="+s.URL, c.says)
		})
	}
	t.Run("is not there", func(t *testing.T) {
		fails(t, "whip="+closed.URL+",whep="+closed.URL, "connection refused")
	})
	t.Run("answers no checks", func(t *testing.T) {
		_, port, _ := net.SplitHostPort(silent.LocalAddr().String())
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(strings.ReplaceAll(answerToWatch, " 7900 ", " "+port+" ")))
		}))
		defer s.Close()
		fails(t, "whip="+s.URL+",whep="+s.URL, "no answer to connectivity checks")
	})
}

// answerToWatch is of a server whose media port is 7900.
const answerToWatch = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 AA:BB\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 0.0.0.0\r\na=setup:passive\r\na=mid:0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n" +
	"a=rtpmap:109 opus/48000/2\r\na=sendonly\r\n" +
	"a=candidate:1 1 udp 2130706431 127.0.0.1 7900 typ host\r\n"

func TestATargetThatDiesEndsTheRun(t *testing.T) {
	r := testRunner(t, Options{})
	b := bedFor(t, r, group{path: report.PathUDP, shape: report.ShapeFanOut, subscribers: 1}, target.Pion)
	if err := syscall.Kill(b.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, err := b.measure(t.Context(), time.Minute)
	if err == nil || !strings.Contains(err.Error(), "died while it was measured") {
		t.Errorf("error %v, want one that says that it died", err)
	}
}

func TestATargetThatDoesNotStartIsNamed(t *testing.T) {
	t.Setenv("BENCH_TEST_TARGET", "argument")
	for kind, says := range map[string]string{"unheard-of": `no target is called "unheard-of"`, "nonsense": "makes no sense"} {
		_, err := target.Start(t.Context(), kind, []string{os.Args[0], kind}, nil)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", kind, err, says)
		}
	}
	if _, err := target.Start(t.Context(), "gone", []string{"/nonexistent/carillon"}, nil); err == nil {
		t.Error("a binary that is not there was started")
	}
}

func TestAnInterruptedRunKeepsItsRows(t *testing.T) {
	t.Setenv("BENCH_TEST_TARGET", "argument")
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	report, err := Run(ctx, Options{
		Targets: []string{target.Pion}, Subscribers: []int{1}, Rounds: 2, Window: shortWindow, Shapes: []string{report.ShapeFanOut},
		Command: []string{os.Args[0]}, Pin: "none",
		Progress: func(what string, _ float64, _ time.Duration) {
			if strings.HasPrefix(what, "udp 1:N, 1: pion, window 2") {
				if steps++; steps == 1 {
					cancel()
				}
			}
		},
	})
	if err == nil || report == nil {
		t.Fatalf("report %v, error %v: want both", report, err)
	}
	if !report.Partial || len(report.Rows)+len(report.Refused) == 0 {
		t.Errorf("partial %v with %d rows and %d refused", report.Partial, len(report.Rows), len(report.Refused))
	}
}

// TestARefusalLeavesTheOthersTheirRows: one target wants no media of ours; the run measures
// the other, names the refusal, and fails.
func TestARefusalLeavesTheOthersTheirRows(t *testing.T) {
	no := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusForbidden) }))
	defer no.Close()
	t.Setenv("BENCH_TEST_TARGET", "argument")
	for name, c := range map[string]struct {
		targets []string
		rows    int // or rows that the bench does not vouch for on a busy machine
	}{
		"with another": {[]string{"whip=" + no.URL + ",whep=" + no.URL + ",name=no", target.Pion}, 1},
		"alone":        {[]string{"whip=" + no.URL + ",whep=" + no.URL + ",name=no"}, 0},
	} {
		report, err := Run(t.Context(), Options{
			Targets: c.targets, Shapes: []string{report.ShapePair}, Rounds: 1, Window: shortWindow, Command: []string{os.Args[0]}, Pin: "none",
		})
		if err == nil || !strings.Contains(err.Error(), "not here") {
			t.Errorf("%s: error %v, want the refusal", name, err)
		}
		if report == nil || len(report.Rows)+len(report.Refused) != c.rows+1 || report.Refused[0].Target != "no" {
			t.Errorf("%s: %+v, want %d rows and the refusal", name, report, c.rows)
		}
	}
}
