package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/doctor"
	"carillon/tcp/tcptest"
)

// runDoctor runs `carillon doctor --json` and returns what it found, and whether it failed.
func runDoctor(t *testing.T, env []string, args ...string) (all []doctor.Finding, failed bool) {
	t.Helper()
	c := command(env, append([]string{"doctor", "--json"}, args...)...)
	out, err := c.Output()
	if exit, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || exit.ExitCode() != 1) {
		t.Fatalf("doctor: %v\n%s", err, out)
	}
	var report struct{ Findings []doctor.Finding }
	if json.Unmarshal(out, &report) != nil {
		t.Fatalf("not JSON: %s", out)
	}
	return report.Findings, err != nil
}

// expect fails unless a finding of this check has the status and mentions every word.
func expect(t *testing.T, all []doctor.Finding, check string, want doctor.Status, words ...string) {
	t.Helper()
	for _, f := range all {
		text := f.Found + " " + f.Suffers + " " + f.Change
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(text, w)
		}
		if f.Check == check && f.Status == want && !missing {
			if want != doctor.StatusOK && want != doctor.StatusSkipped && (f.Suffers == "" || f.Change == "") {
				t.Errorf("it does not say what callers suffer and what to change: %+v", f)
			}
			return
		}
	}
	text, _ := json.MarshalIndent(all, "", " ")
	t.Errorf("want %s to be %s with the words %q, got %s", check, want, words, text)
}

func without(args []string, flag string) []string {
	for i, a := range args {
		if a == flag {
			return append(append([]string{}, args[:i]...), args[i+2:]...)
		}
	}
	return args
}

func TestDoctorFindsAHealthyServer(t *testing.T) {
	args := append(anyPorts, "--data", filepath.Join(t.TempDir(), "data")) // which carillon makes, for its user only
	p := start(t, nil, args...)
	all, failed := runDoctor(t, nil, args...)
	if failed {
		t.Error("it failed")
	}
	for _, f := range all {
		if f.Status == doctor.StatusProblem {
			t.Errorf("got %+v", f)
		}
	}
	for _, check := range []string{"configuration", "data", "http.listen", "media.listen", "turn.udp", "turn.tcp", "private.listen", "addresses", "page", "sign-in", "media UDP", "media TCP", "clock"} {
		expect(t, all, check, doctor.StatusOK)
	}
	expect(t, all, "turn", doctor.StatusOK, "transport=udp", "reaches the media port")
	expect(t, all, "turn", doctor.StatusOK, "transport=tcp", "reaches the media port")
	expect(t, all, "http.listen", doctor.StatusOK, p.urls["http"])
	out, err := command(nil, append([]string{"doctor"}, args...)...).Output()
	if err != nil || !strings.Contains(string(out), "ok       sign-in") {
		t.Errorf("as text: %v\n%s", err, out)
	}
	// The callers that doctor plays leave nothing behind.
	until(t, "no peers", func() bool {
		_, text := get(t, p.urls["private"]+"/metrics")
		return strings.Contains(text, "carillon_sfu_peers 0")
	})
}

func TestDoctorWithoutAServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "not", "there")
	all, failed := runDoctor(t, nil, append(anyPorts, "--data", data)...)
	if failed {
		t.Error("it failed")
	}
	expect(t, all, "data", doctor.StatusOK, "first start")
	expect(t, all, "http.listen", doctor.StatusOK, "can be bound")
	expect(t, all, "calls", doctor.StatusSkipped, "start it")
	if _, err := os.Stat(data); err == nil {
		t.Error("doctor made the data folder")
	}
}

func TestDoctorNamesTheKeyOfATakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for flag, key := range map[string]string{"--listen": "http.listen", "--media": "media.listen", "--turn": "turn.tcp", "--private": "private.listen"} {
		all, failed := runDoctor(t, nil, append(without(anyPorts, flag), flag, taken.Addr().String(), "--data", t.TempDir())...)
		if !failed {
			t.Errorf("%s: it did not fail", flag)
		}
		expect(t, all, key, doctor.StatusProblem, "taken", taken.Addr().String(), "set "+key)
	}
	all, _ := runDoctor(t, nil, append(without(anyPorts, "--listen"), "--listen", "198.51.100.1:0", "--data", t.TempDir())...)
	expect(t, all, "http.listen", doctor.StatusProblem, "not an address of this machine")
	one := tcptest.Address(t)
	all, _ = runDoctor(t, nil, "--listen", "127.0.0.1:0", "--media", one, "--turn", one, "--private", "127.0.0.1:0", "--data", t.TempDir())
	expect(t, all, "turn.udp", doctor.StatusProblem, "media.listen too", "set turn.udp")
}

func TestDoctorNamesAMistakeInTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte("[http]\nlistne = \"x\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, failed := runDoctor(t, nil, "--config", file)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "configuration", doctor.StatusProblem, ":2:", "listne")
	all, _ = runDoctor(t, nil, append(without(anyPorts, "--listen"), "--listen", "0.0.0.0:0", "--data", t.TempDir())...)
	expect(t, all, "configuration", doctor.StatusProblem, "auth.keys")
}

func TestDoctorAndServeNameSecretsThatEverybodyMayRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte("[auth.keys]\nsite = \"0123456789012345678901234567890123456789\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--config", file, "--data", t.TempDir()}, anyPorts...)
	all, failed := runDoctor(t, nil, args...)
	if failed {
		t.Error("a warning counts as a problem")
	}
	expect(t, all, "configuration", doctor.StatusWarning, file+":1: auth.keys", "chmod o-r")
	p := start(t, nil, args...)
	p.stop(t)
	if said := p.stderr.String(); !strings.Contains(said, "chmod o-r") || !strings.Contains(said, file+":1: auth.keys") {
		t.Errorf("serve says %q", said)
	}
	if strings.Contains(p.stderr.String(), "0123456789") {
		t.Error("the log has the secret")
	}
}

func TestDoctorNamesAWrongCertificate(t *testing.T) {
	cert, _ := writeCertificate(t, t.TempDir(), 1)
	_, other := writeCertificate(t, t.TempDir(), 2)
	for name, test := range map[string]struct {
		cert, key string
		words     []string
	}{
		"another's key": {cert, other, []string{"does not belong"}},
		"no such file":  {cert, filepath.Join(t.TempDir(), "none.pem"), []string{"no such file"}},
		"not PEM":       {cert, os.Args[0], []string{"PEM"}},
	} {
		t.Run(name, func(t *testing.T) {
			all, failed := runDoctor(t, []string{"CARILLON_HTTP_CERT=" + test.cert, "CARILLON_HTTP_KEY=" + test.key}, append(anyPorts, "--data", t.TempDir())...)
			if !failed {
				t.Error("it did not fail")
			}
			expect(t, all, "http.cert", doctor.StatusProblem, test.words...)
		})
	}
	all, failed := runDoctor(t, []string{"CARILLON_TURN_TLS=127.0.0.1:0", "CARILLON_HTTP_LISTEN=127.0.0.1:1"}, append(without(anyPorts, "--listen"), "--data", t.TempDir())...)
	if !failed {
		t.Error("TURN over TLS without a certificate: it did not fail")
	}
	expect(t, all, "turn.cert", doctor.StatusProblem, "turn.cert")
}

func TestDoctorNamesAnExpiredCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificateUntil(t, dir, 1, time.Now().Add(-time.Minute))
	env := []string{"CARILLON_HTTP_CERT=" + cert, "CARILLON_HTTP_KEY=" + key}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...) // a server does not refuse it
	all, failed := runDoctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "http.cert", doctor.StatusProblem, "expired", "renew")
	expect(t, all, "media UDP", doctor.StatusOK) // the rest is looked at all the same
}

func TestDoctorNamesAWrongAdvertisedAddress(t *testing.T) {
	t.Parallel()
	env := []string{"CARILLON_MEDIA_ADVERTISE=127.0.0.9"}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...)
	all, failed := runDoctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "media UDP", doctor.StatusProblem, "127.0.0.9", "media.advertise")
	expect(t, all, "media TCP", doctor.StatusProblem, "127.0.0.9", "media.advertise")
}

func TestDoctorNamesATURNServerThatCannotBeReached(t *testing.T) {
	t.Parallel()
	dead := tcptest.Address(t)
	env := []string{
		"CARILLON_TURN_HOST=127.0.0.9", // ours, under an address where nobody listens
		"CARILLON_ICE_URLS=turn:" + dead + "?transport=udp,turn:" + dead + "?transport=tcp",
		"CARILLON_ICE_SECRET=another's",
	}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...)
	all, failed := runDoctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "turn", doctor.StatusProblem, "turn:127.0.0.9:", "cannot be reached", "turn.host")
	expect(t, all, "turn", doctor.StatusProblem, dead+"?transport=udp", "cannot be reached", "ice.urls")
	expect(t, all, "turn", doctor.StatusProblem, dead+"?transport=tcp", "cannot be reached", "ice.urls")
}

func TestDoctorTellsARefusalFromSilence(t *testing.T) {
	other := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	env := []string{"CARILLON_ICE_URLS=" + other.urls["turn-udp"], "CARILLON_ICE_SECRET=wrong"}
	args := append(anyPorts, "--data", t.TempDir())
	start(t, env, args...)
	all, failed := runDoctor(t, env, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "turn", doctor.StatusProblem, other.urls["turn-udp"], "opens no relay", "ice.secret")
}

func TestDoctorSeesThatKeysHaveChanged(t *testing.T) {
	args := append(anyPorts, "--data", t.TempDir())
	start(t, []string{"CARILLON_AUTH_KEYS=site=0123456789012345678901234567890123456789"}, args...)
	all, failed := runDoctor(t, []string{"CARILLON_AUTH_KEYS=site=another890123456789012345678901234567890"}, args...)
	if !failed {
		t.Error("it did not fail")
	}
	expect(t, all, "sign-in", doctor.StatusProblem, "restart")
}

// Who writes the configuration may be careless, or it may have been made to harm who looks at
// it: doctor ends, says what is wrong, and its words do not steer the terminal.
func TestDoctorSurvivesAHostileConfiguration(t *testing.T) {
	keys := "[auth.keys]\nsite = \"0123456789012345678901234567890123456789\"\n"
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := os.Mkdir(pipe, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(pipe, "lock"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"a key that steers the terminal":   {`"\u001b]0;owned\u0007" = 1`, `\x1b]0;owned\a`},
		"a value that steers the terminal": {keys + "[media]\nadvertise = [\"\\u001b[2J\"]\n", "advertise"},
		"a host that steers the terminal":  {keys + "[turn]\nhost = \"\\u001b[2J\\u009b31m\\u202e\"\n", "turn"},
		"no end":                           {strings.Repeat("# nothing\n", 200_000), "more than"},
		"nested without end":               {"x = " + strings.Repeat("[", 100_000), "configuration"},
		"a certificate without end":        {"[http]\ncert = \"/dev/zero\"\nkey = \"/dev/zero\"\n", "no file"},
		"a folder with a pipe as lock":     {"data = \"" + pipe + "\"\n", "no regular file"},
		"numbers beyond all measure":       {"[media]\nroom_peers = 9223372036854775807\nvideo_packets = 9223372036854775807\n[media.udp]\nread_packets = 9223372036854775807\n", ""},
		"addresses of nobody":              {keys + "[media]\nadvertise = [\"::\", \"0.0.0.0\", \"255.255.255.255\"]\n", "media.advertise"},
		"servers that are none":            {keys + "[ice]\nurls = [\"turn:\", \"turn:[::1\", \"turns:\\u001b:1\", \"stun:127.0.0.1:0\", \"x\"]\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "carillon.toml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append(append([]string{"doctor"}, anyPorts...), "--config", file)
			if !strings.Contains(c.text, pipe) {
				args = append(args, "--data", filepath.Join(t.TempDir(), "data"))
			}
			out, err := command(nil, args...).CombinedOutput()
			if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
				t.Fatal(err)
			}
			if text := string(out); !strings.Contains(text, c.want) || strings.Contains(text, "goroutine ") || strings.ContainsAny(text, "\x1b\x07\u009b\u202e") {
				t.Errorf("want %q, and nothing that steers, in\n%.2000q", c.want, text)
			}
		})
	}
	out, err := command(nil, "doctor", "--config", "/dev/zero").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "more than") {
		t.Errorf("/dev/zero: %v\n%s", err, out)
	}
}
