package files_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"carillon/auth"
	"carillon/chat"
	"carillon/files"
	"carillon/refusal"
	"carillon/store"
	"carillon/store/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(func() int {
		code := m.Run()
		if code == 0 {
			http.DefaultClient.CloseIdleConnections()
			if err := goleak.Find(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		return code
	}))
}

// world is a server of files over a real database, behind HTTP.
type world struct {
	t      *testing.T
	cfg    files.Config
	store  *store.Store
	reads  atomic.Int64 // transactions of the server that read
	chat   *chat.Service
	server *files.Server
	http   *httptest.Server
	reg    *prometheus.Registry
}

func newWorld(t *testing.T, cfg files.Config) *world {
	t.Helper()
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	if cfg.Quota.FreeBytes == 0 {
		cfg.Quota.FreeBytes = 1 // whatever room this machine has
	}
	w := &world{t: t, cfg: cfg}
	var err error
	w.store, err = store.Open(t.Context(), store.Config{Folder: t.TempDir(), URL: pgtest.URL(t)}, slog.New(slog.DiscardHandler), func([]chat.Told) {})
	if err != nil {
		t.Fatal(err)
	}
	w.chat = chat.New(w.store, chat.Config{Reach: chat.Reach{Known: []string{"*"}}})
	w.start()
	t.Cleanup(func() {
		w.stop()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// counted counts the transactions that read.
type counted struct {
	*store.Store
	reads *atomic.Int64
}

func (c counted) ReadFiles(ctx context.Context, f func(files.View) error) error {
	c.reads.Add(1)
	return c.Store.ReadFiles(ctx, f)
}

func (w *world) start() {
	w.t.Helper()
	w.reg = prometheus.NewRegistry()
	var err error
	w.server, err = files.New(w.cfg, files.Deps{
		Store: counted{w.store, &w.reads}, Secret: []byte("a secret of the test, 32 bytes long"), Metrics: w.reg,
		Log:  slog.New(slog.NewTextHandler(w.t.Output(), nil)),
		Sees: w.chat.SeesFiles,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.http = httptest.NewServer(w.server.Handler(who))
}

func (w *world) stop() {
	w.http.Close()
	if err := w.server.Close(); err != nil {
		w.t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// restart starts another server on the same files and rows.
func (w *world) restart() {
	w.t.Helper()
	w.stop()
	w.start()
}

// who takes a user's id as their token.
func who(r *http.Request) (auth.Identity, error) {
	user, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return auth.Identity{}, refusal.New(refusal.TokenMissing, "Send a token.")
	}
	id := auth.Identity{User: user, Guest: strings.HasPrefix(user, "guest:")}
	if user == "reader" {
		id.Scope.Grants = []string{"watch"}
	}
	return id, nil
}

// answer is what a request was answered.
type answer struct {
	status int
	header http.Header
	body   []byte
	code   refusal.Code
}

func (w *world) ask(method, path, user string, body io.Reader, header map[string]string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.http.URL+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if user != "" {
		r.Header.Set("Authorization", "Bearer "+user)
		r.Header.Set("Tus-Resumable", "1.0.0")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: got.StatusCode, header: got.Header, body: text}
	if strings.HasPrefix(got.Header.Get("Content-Type"), "application/problem+json") {
		var problem struct{ Code refusal.Code }
		if method != http.MethodHead {
			if err := json.Unmarshal(text, &problem); err != nil {
				w.t.Fatal(err)
			}
		}
		a.code = problem.Code
	}
	return a
}

// begin begins an upload, and returns where it goes on.
func (w *world) begin(user string, bytes int64, said map[string]string) answer {
	w.t.Helper()
	var meta []string
	for key, value := range said {
		meta = append(meta, key+" "+base64.StdEncoding.EncodeToString([]byte(value)))
	}
	return w.ask("POST", "/files/", user, nil, map[string]string{
		"Upload-Length": strconv.FormatInt(bytes, 10), "Upload-Metadata": strings.Join(meta, ","),
	})
}

func (w *world) patch(user, path string, offset int64, part []byte) answer {
	w.t.Helper()
	return w.ask("PATCH", path, user, bytes.NewReader(part), map[string]string{
		"Upload-Offset": strconv.FormatInt(offset, 10), "Content-Type": "application/offset+octet-stream",
	})
}

func (w *world) head(user, path string) answer {
	w.t.Helper()
	return w.ask("HEAD", path, user, nil, nil)
}

// upload uploads a file in one part and returns its row.
func (w *world) upload(user string, content []byte, said map[string]string) files.File {
	w.t.Helper()
	a := w.begin(user, int64(len(content)), said)
	if a.status != http.StatusCreated {
		w.t.Fatalf("begin: got %d %s", a.status, a.body)
	}
	path := a.header.Get("Location")
	if len(content) > 0 {
		if a := w.patch(user, path, 0, content); a.status != http.StatusNoContent || a.header.Get("Upload-Offset") != strconv.Itoa(len(content)) {
			w.t.Fatalf("the content: got %d %s, offset %s", a.status, a.body, a.header.Get("Upload-Offset"))
		}
	}
	return w.row(strings.TrimPrefix(path, "/files/"))
}

func (w *world) find(id string) (f files.File, found bool) {
	w.t.Helper()
	if err := w.store.ReadFiles(w.t.Context(), func(v files.View) (err error) {
		f, found, err = v.File(id)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return f, found
}

func (w *world) row(id string) files.File {
	w.t.Helper()
	f, found := w.find(id)
	if !found {
		w.t.Fatalf("there is no row of %q", id)
	}
	return f
}

// change changes a row.
func (w *world) change(id string, change func(*files.File)) {
	w.t.Helper()
	if err := w.store.WriteFiles(w.t.Context(), func(tx files.Tx) error {
		f, _, err := tx.LockFile(id)
		if err != nil {
			return err
		}
		change(&f)
		return tx.PutFile(f)
	}); err != nil {
		w.t.Fatal(err)
	}
}

// send lets a message of a user to another have a file, and returns where that is.
func (w *world) send(from, to, id string) chat.Message {
	w.t.Helper()
	m, _, err := w.chat.Send(w.t.Context(), chat.User{ID: from, Name: from}, chat.SendParams{To: to, ClientID: "with-" + id, Kind: chat.Text, Text: "look"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx chat.Tx) error {
		if _, err := chat.Attach(tx, from, id); err != nil {
			return err
		}
		return tx.PutFileUses(m.Conversation, m.Seq, []string{id})
	})
	return m
}

func (w *world) write(f func(chat.Tx) error) {
	w.t.Helper()
	if err := w.store.Write(w.t.Context(), "", f); err != nil {
		w.t.Fatal(err)
	}
}

// url is an address of a file for a user, who may have it or not.
func (w *world) url(user, id string) files.URL {
	w.t.Helper()
	urls, err := w.server.URLs(w.t.Context(), user, []string{id}, []string{id}, true)
	if err != nil || urls[id].URL == "" {
		w.t.Fatalf("address of %s: %v, %v", id, urls, err)
	}
	return urls[id]
}

func (w *world) get(path string) answer {
	w.t.Helper()
	return w.ask("GET", path, "", nil, nil)
}

// until waits for a condition.
func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !met(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not yet: %s", what)
		}
	}
}
