package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carillon/store/pgtest"
	"carillon/tcp/tcptest"
)

// runPrinted runs the commands that carillon printed, each on an indented line, with the programs of PostgreSQL.
func runPrinted(t *testing.T, printed string) {
	t.Helper()
	ran := 0
	for line := range strings.SplitSeq(printed, "\n") {
		text, indented := strings.CutPrefix(line, "  ")
		if !indented {
			continue
		}
		ran++
		c := exec.Command("sh", "-c", text)
		c.Env = append(os.Environ(), "PATH="+pgtest.Programs(t)+":"+os.Getenv("PATH"))
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", text, err, out)
		}
	}
	if ran == 0 {
		t.Fatalf("it prints no command:\n%s", printed)
	}
}

// What carillon backup and carillon restore say about PostgreSQL works: a tab that had seen more
// than the backup begins anew, and there is one history.
func TestPostgreSQLIsBackedUpAsCarillonSays(t *testing.T) {
	t.Parallel()
	database, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	if err := database.Create(t.Context(), "carillon"); err != nil {
		t.Fatal(err)
	}
	env := []string{"CARILLON_STORE_URL=" + database.URL("carillon")}
	data, address, file := t.TempDir(), tcptest.Address(t), filepath.Join(t.TempDir(), "dump")
	args := append([]string{"--data", data, "--listen", address}, anyPorts[2:]...)
	p := start(t, env, args...)
	var greeted greetings
	alice, bob := p.dial(t, data, "alice"), p.dialCounted(t, data, "bob", &greeted)
	send := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if _, err := alice.Send(t.Context(), text("bob", fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	printed := func(name string) string {
		t.Helper()
		out, err := command(env, name, file, "--data", data).CombinedOutput()
		if err == nil {
			t.Fatalf("carillon %s succeeds on PostgreSQL:\n%s", name, out)
		}
		return string(out)
	}
	send(0, 5)
	runPrinted(t, printed("backup"))
	send(5, 8)
	p.stop(t)
	runPrinted(t, printed("restore"))
	anew, all := greeted.anew.Load(), greeted.anew.Load()+greeted.resumed.Load()
	start(t, env, args...)
	until(t, "bob's tab is back", func() bool { return greeted.anew.Load()+greeted.resumed.Load() > all })
	if greeted.anew.Load() == anew {
		t.Error("bob's tab, which had seen more, goes on as if nothing had happened")
	}
	if history := historyOf(t, bob); len(history) != 5 {
		t.Errorf("got %d messages, want the 5 of the backup", len(history))
	}
	send(4, 6) // the last of the backup again, and the first that it lacks
	if history := historyOf(t, bob); len(history) != 6 {
		t.Errorf("got %d messages, want 6, each once", len(history))
	}
}
