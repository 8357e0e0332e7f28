package main

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carillon/config"
	"carillon/turn"
)

// startTurn runs `carillon turn` and returns what it printed until it was ready, and a way to
// end it that returns its exit error and log.
func startTurn(t *testing.T, env []string, args ...string) (lines []string, stop func() (string, error)) {
	t.Helper()
	c := command(append(env, "CARILLON_LOG=info"), append([]string{"turn", "--listen", "127.0.0.1:0", "--private", "127.0.0.1:0"}, args...)...)
	var log strings.Builder
	c.Stderr = &log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if scan.Text() == "ready" {
			return lines, func() (string, error) {
				c.Process.Signal(syscall.SIGTERM)
				err := c.Wait()
				return log.String(), err
			}
		}
		lines = append(lines, scan.Text())
	}
	c.Wait()
	t.Fatalf("ended before it was ready: %s", &log)
	return nil, nil
}

func TestTurnRunsWithNoConfiguration(t *testing.T) {
	t.Parallel()
	lines, stop := startTurn(t, nil)
	want := regexp.MustCompile(`^turn:127\.0\.0\.1:\d+\?transport=udp
turn:127\.0\.0\.1:\d+\?transport=tcp
username \d+:demo
credential \S+
metrics http://127\.0\.0\.1:\d+/metrics$`)
	if got := strings.Join(lines, "\n"); !want.MatchString(got) {
		t.Fatalf("printed\n%s", got)
	}
	for _, url := range lines[:2] {
		out, err := command(nil, "turn", "test", url, "--packets", "20",
			"--username", strings.Fields(lines[2])[1], "--credential", strings.Fields(lines[3])[1]).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "loss 0.0 %") {
			t.Errorf("turn test %s: %v\n%s", url, err, out)
		}
	}
	if out, err := command(nil, "turn", "test", lines[0], "--username", "1:demo", "--credential", "x").CombinedOutput(); err == nil {
		t.Errorf("turn test with a wrong credential succeeds: %s", out)
	}
	if log, err := stop(); err != nil || strings.Count(log, "turn usage") != 4 {
		t.Errorf("end: %v, want 4 lines of usage in\n%s", err, log)
	}
}

func TestTurnRefusesAPublicAddressWithoutASecret(t *testing.T) {
	out, err := command(nil, "turn", "--listen", "0.0.0.0:0", "--private", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "turn.secrets") {
		t.Errorf("got %v, %s, want a refusal that names turn.secrets", err, out)
	}
}

func TestTurnCredentialsOpenRelays(t *testing.T) {
	t.Parallel()
	env := []string{"CARILLON_TURN_SECRETS=north,south"}
	lines, stop := startTurn(t, env)
	for _, line := range lines {
		if strings.HasPrefix(line, "credential") {
			t.Error("a credential is printed although others can make one")
		}
	}
	out, err := command(env, "turn", "credentials", "--user", "alice").Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(out))
	if out, err := command(nil, "turn", "test", lines[0], "--packets", "5", "--username", fields[1], "--credential", fields[3]).CombinedOutput(); err != nil {
		t.Errorf("turn test: %v\n%s", err, out)
	}
	if _, err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTurnCheckPeer(t *testing.T) {
	out, err := command([]string{"CARILLON_TURN_UDP=192.0.2.1:3478", "CARILLON_TURN_SECRETS=s"},
		"turn", "check-peer", "169.254.169.254", "::ffff:127.0.0.1", "8.8.8.8").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `169.254.169.254 denied: policy public: cloud metadata
::ffff:127.0.0.1 denied: policy public: loopback (::ffff:127.0.0.1 is 127.0.0.1)
8.8.8.8 allowed: policy public
`
	if string(out) != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
}

func TestTurnImportIsAConfigurationOfOurs(t *testing.T) {
	folder := t.TempDir()
	from := filepath.Join(folder, "turnserver.conf")
	if err := os.WriteFile(from, []byte(`# an ordinary one
listening-port=3478
tls-listening-port=5349
listening-ip=10.0.0.5
external-ip=203.0.113.5/10.0.0.5
min-port=50000
max-port=50999
use-auth-secret
static-auth-secret=north
realm=turn.example.com
user=alice:wonder
user=bob:0xabcdef
cert=/etc/ssl/turn.pem
pkey=/etc/ssl/turn.key
total-quota=100
max-bps=125000
denied-peer-ip=10.0.0.0-10.255.255.255
denied-peer-ip=8.8.8.7-8.8.8.9
allowed-peer-ip=10.0.0.5
allowed-peer-ip=8.8.8.8
no-cli
mobility
some-new-option
`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(nil, "turn", "import", from).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range []string{"mobility: not supported", "some-new-option: is not known", "bob: has a hashed key", "8.8.8.8 lies in denied-peer-ip=8.8.8.8/31"} {
		if !strings.Contains(string(out), note) {
			t.Errorf("no note of %q in\n%s", note, out)
		}
	}
	to := filepath.Join(folder, "carillon.toml")
	if err := os.WriteFile(to, out, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(to, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	got := c.Turn
	want := turn.Defaults()
	want.Realm, want.Secrets, want.Users = "turn.example.com", []string{"north"}, map[string]string{"alice": "wonder"}
	want.UDP, want.TCP, want.TLS = []string{"10.0.0.5:3478"}, []string{"10.0.0.5:3478"}, []string{"10.0.0.5:5349"}
	want.Cert, want.Key = "/etc/ssl/turn.pem", "/etc/ssl/turn.key"
	want.RelayAddresses, want.RelayPorts = []string{"203.0.113.5/10.0.0.5"}, []int{50000, 50999}
	want.Peers = turn.Peers{Allow: []string{"10.0.0.5", "8.8.8.8"}, Deny: []string{"8.8.8.7/32", "8.8.8.8/31"}}
	want.Quota.Total, want.Quota.RelayKbps = 100, 1000
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the imported configuration differs (-want +got):\n%s", diff)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("it does not validate: %v", err)
	}
}
