package main

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carillon/chat"
	"carillon/client"
	"carillon/tcp/tcptest"
	"carillon/wire"
)

// carillon runs a command that must succeed.
func carillon(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(nil, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("carillon %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// greetings counts those of a tab in which it went on with what it had, in which it began anew, and
// which have ended.
type greetings struct{ resumed, anew, synced atomic.Int64 }

func (g *greetings) welcome(w wire.Welcome) {
	if w.Resumed && len(w.Diverged) == 0 {
		g.resumed.Add(1)
	} else {
		g.anew.Add(1)
	}
}

// dialCounted is dial for a tab whose greetings are counted.
func (p *program) dialCounted(t *testing.T, data, user string, g *greetings) *client.Client {
	t.Helper()
	token := tokenOf(t, data, user)
	c, err := client.Dial(t.Context(), client.Options{
		URL:     "ws" + strings.TrimPrefix(p.urls["http"], "http") + "/ws",
		Token:   func(context.Context) (string, error) { return token, nil },
		Welcome: g.welcome, Synced: func() { g.synced.Add(1) },
		Backoff: func(int) (time.Duration, bool) { return 50 * time.Millisecond, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Users write while a backup is made. It is restored into a new folder, as after the loss of the
// first: there is one history again, a beginning of the old one, in which nothing stands twice, and
// tabs that had seen more than it holds go on with it.
func TestABackupOfARunningServerIsRestored(t *testing.T) {
	t.Parallel()
	data, address := t.TempDir(), tcptest.Address(t)
	args := func(data string) []string {
		return append([]string{"--data", data, "--listen", address}, anyPorts[2:]...)
	}
	p := start(t, nil, args(data)...)
	alice := p.dial(t, data, "alice")
	var greeted greetings
	bob := p.dialCounted(t, data, "bob", &greeted)

	var acknowledged []chat.Message
	var count atomic.Int64
	writing, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 0; writing.Err() == nil; n++ {
			m, err := alice.Send(t.Context(), text("bob", fmt.Sprint(n)))
			if err != nil {
				t.Errorf("send %d: %v", n, err)
				return
			}
			acknowledged = append(acknowledged, m)
			count.Add(1)
		}
	})
	some := func(more int64) {
		t.Helper()
		goal := count.Load() + more
		until(t, "some more messages", func() bool { return count.Load() >= goal })
	}
	some(50)
	file := filepath.Join(t.TempDir(), "backup.tar")
	before := count.Load()
	carillon(t, "backup", file, "--data", data)
	during := count.Load() - before
	some(50)
	stop()
	writer.Wait()
	if during == 0 {
		t.Error("nobody could write while the backup was made")
	}
	if out, err := command(nil, "restore", file, "--data", data).CombinedOutput(); err == nil || !strings.Contains(string(out), "is in use by another carillon") {
		t.Errorf("restored into a folder in use: %v\n%s", err, out)
	}
	p.stop(t)
	if out, err := command(nil, "restore", file, "--data", data).CombinedOutput(); err == nil || !strings.Contains(string(out), "has a database already") {
		t.Errorf("restored over a database: %v\n%s", err, out)
	}

	restored := filepath.Join(t.TempDir(), "restored")
	carillon(t, "restore", file, "--data", restored)
	secret, err := os.ReadFile(filepath.Join(data, "auth.secret"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(restored, "auth.secret"), secret, 0o600); err != nil {
		t.Fatal(err)
	}
	anew := greeted.anew.Load()
	start(t, nil, args(restored)...)
	until(t, "bob's tab begins anew", func() bool { return greeted.anew.Load() > anew })

	history := historyOf(t, bob)
	if len(history) < 50 || len(history) >= len(acknowledged) {
		t.Fatalf("%d messages of %d are in the backup", len(history), len(acknowledged))
	}
	for i, m := range history {
		if want := acknowledged[i]; m.Seq != int64(i+1) || m.Text != want.Text {
			t.Fatalf("message %d: got seq %d %q, want %q", i, m.Seq, m.Text, want.Text)
		}
	}
	// A tab that has got no answer sends again, whether the backup has the message or not.
	for n := len(history) - 5; n < len(history)+5; n++ {
		m, err := alice.Send(t.Context(), text("bob", fmt.Sprint(n)))
		if err != nil || m.Seq != int64(n+1) {
			t.Errorf("message %d again: got seq %d, %v", n, m.Seq, err)
		}
	}
	texts := map[string]int{}
	for _, m := range historyOf(t, bob) {
		texts[m.Text]++
	}
	if len(texts) != len(history)+5 {
		t.Errorf("%d messages, want %d, each once: %v", len(texts), len(history)+5, texts)
	}
	t.Logf("%d messages before, %d while it was made, %d after", before, during, int64(len(acknowledged))-before-during)
}

// A backup can lie where more people read than may know secrets.
func TestABackupHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	p := start(t, nil, append(anyPorts, "--data", data)...)
	if _, err := p.dial(t, data, "alice").Send(t.Context(), text("bob", "1")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "backup.tar")
	carillon(t, "backup", file, "--data", data)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := filepath.Glob(filepath.Join(data, "*.secret"))
	if err != nil || len(secrets) == 0 {
		t.Fatalf("got secrets %v, %v", secrets, err)
	}
	for _, name := range secrets {
		secret, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(whole), strings.TrimSpace(string(secret))) {
			t.Errorf("%s is in the backup", name)
		}
	}
	var names []string
	r := tar.NewReader(strings.NewReader(string(whole)))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	if want := []string{"manifest.json", "carillon.db"}; !slices.Equal(names, want) {
		t.Errorf("got files %v, want %v", names, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, want 0600", info.Mode(), err)
	}
}

func TestBackupSaysWhatToDoOnPostgreSQL(t *testing.T) {
	env := []string{"CARILLON_STORE_URL=postgres://carillon:sesame@db.example.test/carillon?sslmode=verify-full"}
	for name, want := range map[string]string{
		"backup":  "pg_dump --format=custom --file=/backup/today 'postgres://carillon@db.example.test/carillon?sslmode=verify-full'",
		"restore": "pg_restore --clean --if-exists --no-owner --exit-on-error --single-transaction --dbname='postgres://carillon@db.example.test/carillon?sslmode=verify-full' /backup/today",
	} {
		out, err := command(env, name, "/backup/today").CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "sesame") {
			t.Errorf("carillon %s: got %v, %s", name, err, out)
		}
	}
}
