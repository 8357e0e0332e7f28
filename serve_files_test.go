package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"carillon/wire"
)

// tusRequest asks a running server about an upload.
func (p *program) tusRequest(t *testing.T, method, path, token string, body io.Reader, header map[string]string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, p.urls["http"]+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Tus-Resumable", "1.0.0")
	r.Header.Set("Content-Type", "application/offset+octet-stream")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil // the connection broke
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func (p *program) beginUpload(t *testing.T, token string, bytes int64) string {
	t.Helper()
	answer := p.tusRequest(t, "POST", "/files/", token, nil, map[string]string{"Upload-Length": strconv.FormatInt(bytes, 10)})
	if answer == nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("begin an upload: got %v", answer)
	}
	return answer.Header.Get("Location")
}

// noise is n bytes that are the same each time.
func noise(n int64) io.Reader {
	return io.LimitReader(&cycle{block: bytes.Repeat([]byte("carillon rings "), 4096)}, n)
}

type cycle struct {
	block []byte
	at    int
}

func (c *cycle) Read(b []byte) (int, error) {
	n := copy(b, c.block[c.at:])
	c.at = (c.at + n) % len(c.block)
	return n, nil
}

// rss is how much memory of a running server is in use, in bytes.
func (p *program) rss(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatal("no VmRSS")
	}
	kb, _ := strconv.ParseInt(string(found[1]), 10, 64)
	return kb << 10
}

// TestA200MBUploadSurvivesAKill interrupts a large upload by killing the server in the middle of it,
// goes on with it after the next start, and gets back what was sent. The server needs little memory
// for it.
func TestA200MBUploadSurvivesAKill(t *testing.T) {
	const size = 200 << 20
	data := t.TempDir()
	args := append(anyPorts, "--data", data)
	p := start(t, nil, args...)
	token := tokenOf(t, data, "alice")
	path := p.beginUpload(t, token, size)
	local := filepath.Join(data, "files", "uploads", strings.TrimPrefix(path, "/files/"))

	broken := make(chan *http.Response, 1)
	go func() {
		broken <- p.tusRequest(t, "PATCH", path, token, noise(size), map[string]string{"Upload-Offset": "0"})
	}()
	until(t, "a part has come", func() bool {
		info, err := os.Stat(local)
		return err == nil && info.Size() > 8<<20
	})
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.command.Wait() // it was killed
	if answer := <-broken; answer != nil && answer.StatusCode < 500 {
		t.Fatalf("the upload was answered with %d before the server was killed", answer.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()

	p = start(t, nil, args...)
	head := p.tusRequest(t, "HEAD", path, token, nil, nil)
	offset, err := strconv.ParseInt(head.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset <= 8<<20 || offset >= size {
		t.Fatalf("after the kill: got %d, offset %d of %d, %v", head.StatusCode, offset, size, err)
	}
	before, most := p.rss(t), int64(0)
	rest := noise(size)
	if _, err := io.CopyN(io.Discard, rest, offset); err != nil {
		t.Fatal(err)
	}
	measured := readerFunc(func(b []byte) (int, error) {
		most = max(most, p.rss(t))
		return rest.Read(b)
	})
	if answer := p.tusRequest(t, "PATCH", path, token, measured, map[string]string{"Upload-Offset": strconv.FormatInt(offset, 10)}); answer == nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("the rest: got %v", answer)
	}
	most = max(most, p.rss(t))
	t.Logf("killed after %d MB; going on costs %.1f MB of memory (%.1f before, %.1f at most)", offset>>20, float64(most-before)/1e6, float64(before)/1e6, float64(most)/1e6)
	if most-before > 30<<20 {
		t.Errorf("the upload costs %d MB of memory, want less than 30", (most-before)>>20)
	}

	alice := p.dial(t, data, "alice")
	if got := alice.Welcome().Limits.FileBytes; got < size {
		t.Errorf("a client is told that a file may have %d bytes", got)
	}
	id := strings.TrimPrefix(path, "/files/")
	var urls wire.FileURLList
	if err := alice.Request(t.Context(), wire.MethodFileURLs, wire.FileURLs{Files: []string{id}}, &urls); err != nil {
		t.Fatal(err)
	}
	got, want := sha256.New(), sha256.New()
	if _, err := io.Copy(want, noise(size)); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(p.urls["http"] + urls.URLs[id].URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n, err := io.Copy(got, answer.Body); err != nil || n != size || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
		t.Errorf("got %d bytes, %v, want those that were sent", n, err)
	}
	t.Logf("fetching it: %.1f MB of memory", float64(p.rss(t))/1e6)
	http.DefaultClient.CloseIdleConnections()
}

// TestABackupHoldsTheFiles restores a backup that was made while the server ran, and fetches from it
// what was sent before. What is damaged in it is not restored.
func TestABackupHoldsTheFiles(t *testing.T) {
	data := t.TempDir()
	p := start(t, nil, append(anyPorts, "--data", data)...)
	token := tokenOf(t, data, "alice")
	const size = 100_000
	path := p.beginUpload(t, token, size)
	if answer := p.tusRequest(t, "PATCH", path, token, noise(size), map[string]string{"Upload-Offset": "0"}); answer == nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("upload: got %v", answer)
	}
	p.beginUpload(t, token, size) // is not in the backup
	file := filepath.Join(t.TempDir(), "backup.tar")
	if out := carillon(t, "backup", file, "--data", data); !strings.Contains(out, "1 files") {
		t.Errorf("backup says %s", out)
	}
	p.stop(t)
	http.DefaultClient.CloseIdleConnections()

	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.tar")
	if err := os.WriteFile(damaged, bytes.Replace(whole, []byte("carillon rings"), []byte("carillon sings"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	if out, err := command(nil, "restore", damaged, "--data", restored).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("is damaged")) {
		t.Errorf("a damaged backup: %v, %s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(restored, "files", "*")); len(left) > 0 {
		t.Errorf("a damaged backup leaves %v", left)
	}
	carillon(t, "restore", file, "--data", restored)
	for _, name := range []string{"auth.secret", "files.secret"} {
		secret, err := os.ReadFile(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(restored, name), secret, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p = start(t, nil, append(anyPorts, "--data", restored)...)
	id := strings.TrimPrefix(path, "/files/")
	var urls wire.FileURLList
	if err := p.dial(t, restored, "alice").Request(t.Context(), wire.MethodFileURLs, wire.FileURLs{Files: []string{id}}, &urls); err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(noise(size))
	if err != nil {
		t.Fatal(err)
	}
	if status, got := get(t, p.urls["http"]+urls.URLs[id].URL); status != http.StatusOK || got != string(want) {
		t.Errorf("after the restore: got %d, %d bytes", status, len(got))
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestAFullDiskRefusesUploadsAndHurtsNobody fills the disk by an upload. It is refused with the time
// after which to go on, messages are stored meanwhile, and when there is room again it goes on.
func TestAFullDiskRefusesUploadsAndHurtsNobody(t *testing.T) {
	data := t.TempDir()
	p := start(t, nil, append(anyPorts, "--data", data)...)
	token := tokenOf(t, data, "alice")
	alice := p.dial(t, data, "alice")
	const size = 8 << 20
	path := p.beginUpload(t, token, size)
	p.fileLimit(t, 6<<20)
	answer := p.tusRequest(t, "PATCH", path, token, noise(size), map[string]string{"Upload-Offset": "0"})
	if answer == nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Fatalf("on a full disk: got %v, want 503 with a time", answer)
	}
	if text, _ := io.ReadAll(answer.Body); !bytes.Contains(text, []byte(`"storage_failed"`)) || bytes.Contains(text, []byte(data)) {
		t.Errorf("on a full disk: got %s", text)
	}
	if _, err := alice.Send(t.Context(), text("bob", "1")); err != nil {
		t.Errorf("a message meanwhile: %v", err)
	}
	p.fileLimit(t, 1<<40)
	offset, err := strconv.ParseInt(p.tusRequest(t, "HEAD", path, token, nil, nil).Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 5<<20 || offset >= size {
		t.Fatalf("offset %d, %v", offset, err)
	}
	rest := noise(size)
	if _, err := io.CopyN(io.Discard, rest, offset); err != nil {
		t.Fatal(err)
	}
	if answer := p.tusRequest(t, "PATCH", path, token, rest, map[string]string{"Upload-Offset": strconv.FormatInt(offset, 10)}); answer == nil || answer.StatusCode != http.StatusNoContent {
		t.Errorf("with room again: got %v", answer)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestOnlyAllowedSitesMayUpload asks as a browser does before a page of another site uploads.
func TestOnlyAllowedSitesMayUpload(t *testing.T) {
	p := start(t, []string{"CARILLON_SIGNALING_ORIGINS=https://shop.example"}, append(anyPorts, "--data", t.TempDir())...)
	for origin, want := range map[string]string{"https://shop.example": "https://shop.example", "https://evil.example": ""} {
		answer := p.tusRequest(t, http.MethodOptions, "/files/", "", nil, map[string]string{"Origin": origin})
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("from %s: got Access-Control-Allow-Origin %q, want %q", origin, got, want)
		}
		if got := answer.Header.Get("Access-Control-Allow-Headers"); strings.Contains(got, "Upload-Offset") != (want != "") {
			t.Errorf("from %s: got Access-Control-Allow-Headers %q", origin, got)
		}
	}
	random := make([]byte, 20)
	rand.Read(random)
	if answer := p.tusRequest(t, http.MethodGet, fmt.Sprintf("/files/%X?sig=x", random), "", nil, nil); answer.StatusCode != http.StatusForbidden {
		t.Errorf("an invented address: got %d, want 403", answer.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}
