package store

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// One sender under strace: between what it writes about one acknowledgement and about
// the next, the log of the database was written and then synced. Killing a process
// cannot show this, because the kernel keeps what was written.
func TestSyncComesBeforeTheAcknowledgement(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("this test needs strace: apt-get install strace")
	}
	folder, count := t.TempDir(), 20
	trace := folder + "/trace"
	out, err := child(t.Context(), folder, "", 1, count, strace, "-f", "-y", "-qq",
		"-e", "trace=fsync,fdatasync,pwrite64,write", "-e", "signal=none", "-o", trace).CombinedOutput()
	if err != nil {
		t.Fatalf("strace: %v\n%s", err, out)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	written, synced, acks := false, false, 0
	running := map[string]string{} // by thread: the call that another thread's line interrupted
	for line := range strings.Lines(string(data)) {
		thread, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		what = strings.TrimSpace(what)
		if begun, cut := strings.CutSuffix(what, "<unfinished ...>"); cut {
			running[thread] = begun
			continue
		}
		if resumed.MatchString(what) {
			what = running[thread] + resumed.ReplaceAllString(what, "")
		}
		wal := strings.Contains(what, "carillon.db-wal>")
		switch {
		case wal && strings.HasPrefix(what, "pwrite64("):
			written, synced = true, false
		case wal && strings.HasSuffix(what, "= 0") && (strings.HasPrefix(what, "fsync(") || strings.HasPrefix(what, "fdatasync(")):
			synced = written
		case strings.Contains(what, `"ack `):
			acks++
			if !synced {
				t.Errorf("acknowledgement %d came before the sync of its commit: %s", acks, what)
			}
			written, synced = false, false
		}
	}
	if acks != count {
		t.Errorf("traced %d acknowledgements, want %d; the child said:\n%s", acks, count, out)
	}
}

var resumed = regexp.MustCompile(`^<\.\.\. \w+ resumed>`)
