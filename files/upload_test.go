package files_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"carillon/files"
	"carillon/limit/limittest"
	"carillon/refusal"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	b[0] = 0 // no beginning of any type
	return b
}

// An upload that is interrupted, by the client or by a restart of the server, goes on where it was.
func TestAnUploadGoesOnWhereItWas(t *testing.T) {
	w := newWorld(t, files.Config{})
	content := random(300_000)
	a := w.begin("alice", int64(len(content)), map[string]string{"filename": "../../etc/plan.bin"})
	if a.status != http.StatusCreated {
		t.Fatalf("begin: got %d %s", a.status, a.body)
	}
	path := a.header.Get("Location")
	if !strings.HasPrefix(path, "/files/") {
		t.Fatalf("it goes on at %q, want a path on this server", path)
	}
	if a := w.patch("alice", path, 0, content[:100_000]); a.status != http.StatusNoContent {
		t.Fatalf("the first part: got %d %s", a.status, a.body)
	}
	w.restart()
	if a := w.head("alice", path); a.status != http.StatusOK || a.header.Get("Upload-Offset") != "100000" || a.header.Get("Upload-Length") != "300000" {
		t.Fatalf("after a restart: got %d, offset %s of %s", a.status, a.header.Get("Upload-Offset"), a.header.Get("Upload-Length"))
	}
	if a := w.patch("alice", path, 50_000, content[50_000:]); a.status != http.StatusConflict || a.code != refusal.BadRequest {
		t.Errorf("a part in the wrong place: got %d %s", a.status, a.code)
	}
	w.interrupt("alice", path, 100_000, content[100_000:], 70_000)
	until(t, "what came before the connection broke is written", func() bool { return w.localBytes(path) == 170_000 })
	if a := w.head("alice", path); a.header.Get("Upload-Offset") != "170000" {
		t.Errorf("after the connection broke: got offset %s, want 170000", a.header.Get("Upload-Offset"))
	}
	if a := w.patch("alice", path, 170_000, content[170_000:]); a.status != http.StatusNoContent {
		t.Fatalf("the last part: got %d %s", a.status, a.body)
	}
	f := w.row(strings.TrimPrefix(path, "/files/"))
	if f.State != files.Finished || f.Bytes != 300_000 || f.Name != "plan.bin" || f.Type != "application/octet-stream" || f.Owner != "alice" {
		t.Errorf("got %+v", f)
	}
	if a := w.head("alice", path); a.status != http.StatusOK || a.header.Get("Upload-Offset") != "300000" {
		t.Errorf("when all has come: got %d, offset %s", a.status, a.header.Get("Upload-Offset"))
	}
	if a := w.get(w.url("alice", f.ID).URL); a.status != http.StatusOK || !bytes.Equal(a.body, content) {
		t.Errorf("got %d and %d bytes, want those that were sent", a.status, len(a.body))
	}
	if _, err := os.Stat(w.server.LocalPath(f.ID)); !os.IsNotExist(err) {
		t.Errorf("the upload is there still: %v", err)
	}
}

// localBytes is how much of an upload lies on the disk. To ask the server would interrupt it.
func (w *world) localBytes(path string) int64 {
	info, err := os.Stat(w.server.LocalPath(strings.TrimPrefix(path, "/files/")))
	if err != nil {
		return -1
	}
	return info.Size()
}

// interrupt sends n bytes of a part, then breaks the connection.
func (w *world) interrupt(user, path string, offset int, part []byte, n int) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.http.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	head := "PATCH " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + user + "\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: " +
		strconv.Itoa(offset) + "\r\nContent-Length: " + strconv.Itoa(len(part)) + "\r\n\r\n"
	if _, err := io.WriteString(c, head); err != nil {
		w.t.Fatal(err)
	}
	if _, err := c.Write(part[:n]); err != nil {
		w.t.Fatal(err)
	}
}

// The server dies when the last byte has come, before it has looked at the file. Who asks how far it
// has come finds it finished.
func TestAnUploadIsFinishedLater(t *testing.T) {
	w := newWorld(t, files.Config{})
	content := []byte("hello")
	path := w.begin("alice", int64(len(content)), nil).header.Get("Location")
	id := strings.TrimPrefix(path, "/files/")
	if err := os.WriteFile(w.server.LocalPath(id), content, 0o600); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if a := w.head("alice", path); a.status != http.StatusOK || a.header.Get("Upload-Offset") != "5" {
		t.Fatalf("got %d, offset %s", a.status, a.header.Get("Upload-Offset"))
	}
	if f := w.row(id); f.State != files.Finished || f.Type != "text/plain" {
		t.Errorf("got %+v, want it finished", f)
	}
}

func TestAnEmptyFileIsOne(t *testing.T) {
	w := newWorld(t, files.Config{})
	if f := w.upload("alice", nil, map[string]string{"name": "nothing.txt"}); f.State != files.Finished || f.Bytes != 0 {
		t.Errorf("got %+v", f)
	}
}

// An upload is its owner's alone. To others it is as if there was none.
func TestOnlyTheOwnerGoesOnWithAnUpload(t *testing.T) {
	w := newWorld(t, files.Config{})
	path := w.begin("alice", 10, nil).header.Get("Location")
	for _, method := range []string{"PATCH", "HEAD", "DELETE"} {
		header := map[string]string{"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
		if a := w.ask(method, path, "bob", nil, header); a.status != http.StatusNotFound {
			t.Errorf("%s by bob: got %d, want 404", method, a.status)
		}
		if a := w.ask(method, path, "", nil, header); a.status != http.StatusUnauthorized {
			t.Errorf("%s by nobody: got %d, want 401", method, a.status)
		}
		if a := w.ask(method, "/files/"+strings.Repeat("A", 26), "alice", nil, header); a.status != http.StatusNotFound {
			t.Errorf("%s of what is not there: got %d, want 404", method, a.status)
		}
		if a := w.ask(method, "/files/..%2f..%2fetc%2fpasswd", "alice", nil, header); a.status != http.StatusNotFound {
			t.Errorf("%s of a path: got %d, want 404", method, a.status)
		}
	}
	if a := w.ask("POST", path, "alice", nil, map[string]string{"X-HTTP-Method-Override": "DELETE"}); a.status != http.StatusMethodNotAllowed {
		t.Errorf("a DELETE in a POST: got %d", a.status)
	}
	if a := w.begin("reader", 10, nil); a.status != http.StatusForbidden || a.code != refusal.NotAllowed {
		t.Errorf("a token without the grant: got %d %s", a.status, a.code)
	}
	if a := w.head("alice", path); a.status != http.StatusOK {
		t.Errorf("its owner: got %d", a.status)
	}
}

// Who cancels an upload has the room again at once.
func TestACancelledUploadIsGone(t *testing.T) {
	w := newWorld(t, files.Config{Quota: files.Quota{UserBytes: 1 << 20, FreeBytes: 1}})
	path := w.begin("alice", 1<<20, nil).header.Get("Location")
	w.patch("alice", path, 0, random(1000))
	if a := w.begin("alice", 1, nil); a.code != refusal.QuotaReached {
		t.Fatalf("with another upload under way: got %d %s, want %s", a.status, a.code, refusal.QuotaReached)
	}
	if a := w.ask("DELETE", path, "alice", nil, nil); a.status != http.StatusNoContent {
		t.Fatalf("cancel: got %d %s", a.status, a.body)
	}
	id := strings.TrimPrefix(path, "/files/")
	until(t, "it is gone", func() bool { _, found := w.find(id); return !found })
	if _, err := os.Stat(w.server.LocalPath(id)); !os.IsNotExist(err) {
		t.Errorf("its bytes are there: %v", err)
	}
	f := w.upload("alice", random(1000), nil)
	w.send("alice", "bob", f.ID)
	if a := w.ask("DELETE", "/files/"+f.ID, "alice", nil, nil); a.code != refusal.NotAllowed {
		t.Errorf("a file that a message has: got %d %s, want %s", a.status, a.code, refusal.NotAllowed)
	}
	unused := w.upload("alice", random(1000), nil)
	if a := w.ask("DELETE", "/files/"+unused.ID, "alice", nil, nil); a.status != http.StatusNoContent {
		t.Errorf("a file that no message has: got %d", a.status)
	}
	until(t, "it is gone", func() bool { _, found := w.find(unused.ID); return !found })
	if _, err := os.Stat(w.server.KeptPath(unused.ID)); !os.IsNotExist(err) {
		t.Errorf("its content is there: %v", err)
	}
}

// What is more than a file, a user or the disk may have is refused before a byte has come.
func TestEveryLimitOfFilesIsMeasured(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct {
		key   string
		cfg   files.Config
		users []string // who begin an upload of 1 MB each; the last is refused
		want  refusal.Code
	}{
		{"files.quota.file_bytes", files.Config{Quota: files.Quota{FileBytes: mb - 1}}, []string{"alice"}, refusal.TooLarge},
		{"files.quota.user_bytes", files.Config{Quota: files.Quota{UserBytes: mb}}, []string{"alice", "bob", "alice"}, refusal.QuotaReached},
		{"files.quota.guest_bytes", files.Config{Quota: files.Quota{GuestBytes: mb}}, []string{"guest:1", "guest:2", "guest:1"}, refusal.QuotaReached},
		{"files.quota.all_bytes", files.Config{Quota: files.Quota{AllBytes: 2 * mb}}, []string{"alice", "guest:1", "bob", "carol"}, refusal.StorageFailed},
		{"files.quota.guests_bytes", files.Config{Quota: files.Quota{GuestsBytes: 2 * mb}}, []string{"guest:1", "alice", "guest:2", "guest:3"}, refusal.StorageFailed},
		{"files.quota.free_bytes", files.Config{Quota: files.Quota{FreeBytes: 1 << 60}}, []string{"alice"}, refusal.StorageFailed},
		{"files.rates.user_uploads", files.Config{Rates: files.Rates{UserUploads: 1}}, []string{"alice", "alice", "alice", "alice", "alice", "bob", "alice"}, refusal.RateLimited},
		{"files.rates.guest_uploads", files.Config{Rates: files.Rates{GuestUploads: 1}}, []string{"guest:1", "guest:1", "guest:1", "guest:1", "guest:1", "guest:1"}, refusal.RateLimited},
	} {
		t.Run(test.key, func(t *testing.T) {
			w := newWorld(t, test.cfg)
			for i, user := range test.users {
				a := w.begin(user, mb, nil)
				if last := i == len(test.users)-1; last && a.code != test.want || !last && a.status != http.StatusCreated {
					t.Errorf("upload %d, of %s: got %d %s", i+1, user, a.status, a.code)
				}
			}
			if n := limittest.Refused(t, w.reg)[test.key]; n == 0 {
				t.Error("the refusal is not counted")
			}
		})
	}
}

// One who lets uploads wait has no more of them than they may, and others are not kept from theirs.
func TestUploadsAtOnceAreBounded(t *testing.T) {
	w := newWorld(t, files.Config{Quota: files.Quota{UserUploads: 1}})
	first, second := w.begin("alice", 10, nil).header.Get("Location"), w.begin("alice", 10, nil).header.Get("Location")
	bytesOf, sender := io.Pipe()
	done := make(chan answer)
	go func() {
		done <- w.ask("PATCH", first, "alice", bytesOf, map[string]string{"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"})
	}()
	if _, err := sender.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	until(t, "the first has begun", func() bool { return w.localBytes(first) == 5 })
	if a := w.patch("alice", second, 0, []byte("x")); a.code != refusal.RateLimited {
		t.Errorf("another: got %d %s, want %s", a.status, a.code, refusal.RateLimited)
	}
	if n := limittest.Refused(t, w.reg)["files.quota.user_uploads"]; n == 0 {
		t.Error("the refusal is not counted")
	}
	if f := w.upload("bob", []byte("mine"), nil); f.State != files.Finished {
		t.Errorf("bob's: got %+v", f)
	}
	if _, err := sender.Write([]byte("world")); err != nil {
		t.Fatal(err)
	}
	sender.Close()
	if a := <-done; a.status != http.StatusNoContent {
		t.Errorf("the first: got %d %s", a.status, a.body)
	}
}

// More bytes than were announced are not taken.
func TestAnUploadHasTheLengthThatItBeganWith(t *testing.T) {
	w := newWorld(t, files.Config{})
	path := w.begin("alice", 5, nil).header.Get("Location")
	if a := w.patch("alice", path, 0, []byte("hello world")); a.code != refusal.TooLarge {
		t.Errorf("got %d %s, want %s", a.status, a.code, refusal.TooLarge)
	}
	for name, header := range map[string]map[string]string{
		"no length":       {},
		"no number":       {"Upload-Length": "many"},
		"below zero":      {"Upload-Length": "-1"},
		"told later":      {"Upload-Defer-Length": "1"},
		"more than fits":  {"Upload-Length": "99999999999999999999"},
		"another version": {"Upload-Length": "5", "Tus-Resumable": "0.2.2"},
	} {
		if a := w.ask("POST", "/files/", "alice", nil, header); a.status < 400 || a.status > 501 || a.code == "" {
			t.Errorf("%s: got %d %s", name, a.status, a.code)
		}
	}
}

// Interrupted uploads, and files that no message has, are removed after their time; others are not.
func TestWhatNobodyNeedsIsCollected(t *testing.T) {
	w := newWorld(t, files.Config{})
	interrupted := w.begin("alice", 100, nil).header.Get("Location")
	w.patch("alice", interrupted, 0, random(50))
	orphan, used, fresh := w.upload("alice", random(100), nil), w.upload("alice", random(100), nil), w.upload("alice", random(100), nil)
	w.send("alice", "bob", used.ID)
	lost := w.server.LocalPath(strings.Repeat("B", 26)) // of an upload whose row another node has removed
	if err := os.WriteFile(lost, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := func(f *files.File) { f.CollectAt = time.Now().Add(-time.Minute).UnixMilli() }
	w.change(strings.TrimPrefix(interrupted, "/files/"), old)
	w.change(orphan.ID, old)

	release, err := files.Guard(w.cfg.Place())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, found := w.find(orphan.ID); !found {
		t.Error("a file is removed while a backup is made of it")
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := w.server.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{orphan.ID: false, strings.TrimPrefix(interrupted, "/files/"): false, used.ID: true, fresh.ID: true} {
		if _, found := w.find(id); found != want {
			t.Errorf("file %s: there %t, want %t", id, found, want)
		}
	}
	for _, path := range []string{w.server.KeptPath(orphan.ID), w.server.LocalPath(strings.TrimPrefix(interrupted, "/files/"))} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: %v, want it gone", path, err)
		}
	}
	w.server.SweepAt(t.Context(), time.Now())
	if _, err := os.Stat(lost); err != nil {
		t.Errorf("what was written just now is removed: %v", err)
	}
	w.server.SweepAt(t.Context(), time.Now().Add(49*time.Hour))
	if _, err := os.Stat(lost); !os.IsNotExist(err) {
		t.Errorf("what belongs to nothing: %v, want it gone", err)
	}
}

// Where the folder belongs to one node only, another node says that it has not got the beginning.
func TestAnotherNodeSaysThatAnUploadIsElsewhere(t *testing.T) {
	w := newWorld(t, files.Config{Shared: true, Folder: t.TempDir()})
	path := w.begin("alice", 10, nil).header.Get("Location")
	w.cfg.Folder = t.TempDir()
	w.restart()
	if a := w.patch("alice", path, 0, random(10)); a.status != http.StatusServiceUnavailable || a.code != refusal.UploadElsewhere {
		t.Errorf("got %d %s, want %s", a.status, a.code, refusal.UploadElsewhere)
	}
}

func TestAServerWithoutAPlaceTakesNoFiles(t *testing.T) {
	for name, cfg := range map[string]files.Config{"switched off": {Off: true}, "nodes that share none": {Shared: true}} {
		w := newWorld(t, cfg)
		if a := w.begin("alice", 10, nil); a.code != refusal.NotAllowed {
			t.Errorf("%s: got %d %s", name, a.status, a.code)
		}
		if a := w.get("/files/x?sig=x"); a.code != refusal.NotAllowed {
			t.Errorf("%s, fetch: got %d %s", name, a.status, a.code)
		}
	}
}
