package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	quiet "golang.org/x/exp/slog"

	"carillon/auth"
	"carillon/limit"
	"carillon/refusal"
	"carillon/settings"
)

// Deps are what a Server asks.
type Deps struct {
	Store Store
	// Sees returns those of files that are in a message which the user may see.
	Sees    func(ctx context.Context, user string, files []string) ([]string, error)
	Secret  []byte // signs addresses
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: not registered
}

// Server takes and serves files. It is safe for concurrent use.
type Server struct {
	// Fixed at construction.
	cfg     Config
	folder  string
	store   Store
	sees    func(ctx context.Context, user string, files []string) ([]string, error)
	log     *slog.Logger
	now     func() time.Time
	sign    signer
	content content
	tus     *handler.UnroutedHandler
	limits  *limits
	metrics *metrics

	decoding chan struct{} // holds one while an image is decoded
	soon     chan struct{} // holds one when the janitor is to look at once
	done     chan struct{} // closed by Close
	wg       sync.WaitGroup
	closing  sync.Once
}

const (
	// silence is how long a connection may bring no byte of an upload.
	silence = 30 * time.Second
	// afterTime is how long what belongs to a request may go on when its connection is gone. What must
	// be finished does not ask for it.
	afterTime = 100 * time.Millisecond
)

// New makes the folders and starts the janitor. Close it.
func New(cfg Config, deps Deps) (*Server, error) {
	cfg = settings.Fill(cfg, Defaults())
	s := &Server{
		cfg: cfg, folder: cfg.Place(), store: deps.Store, sees: deps.Sees, log: deps.Log, now: time.Now,
		sign: signer{deps.Secret}, limits: newLimits(cfg), metrics: newMetrics(deps.Metrics),
		decoding: make(chan struct{}, 1), soon: make(chan struct{}, 1), done: make(chan struct{}),
	}
	limit.Register(deps.Metrics, s.limits.counts()...)
	if why := cfg.Closed(); why != "" {
		if !cfg.Off {
			s.log.Warn(why)
		}
		return s, nil
	}
	for _, name := range []string{keptFolder, uploadingFolder} {
		if err := os.MkdirAll(filepath.Join(s.folder, name), 0o700); err != nil {
			return nil, fmt.Errorf("files.folder: %w", err)
		}
	}
	s.content = folder(s.folder)
	if cfg.S3.Bucket != "" {
		b, err := openBucket(cfg.S3)
		if err != nil {
			return nil, err
		}
		s.content = b
	}
	composer := handler.NewStoreComposer()
	composer.UseCore(uploads{s})
	composer.UseTerminater(uploads{s})
	composer.UseLocker(memorylocker.New())
	var err error
	s.tus, err = handler.NewUnroutedHandler(handler.Config{
		StoreComposer: composer, BasePath: prefix, // how large a file may be is asked in begin
		Cors: &handler.CorsConfig{Disable: true}, Logger: quiet.New(quiet.NewTextHandler(io.Discard, nil)),
		NetworkTimeout: silence, GracefulRequestCompletionTimeout: afterTime,
	})
	if err != nil {
		return nil, fmt.Errorf("serve uploads: %w", err)
	}
	s.wg.Go(s.janitor)
	return s, nil
}

// Place is the folder of files.
func (c Config) Place() string {
	if c.Folder != "" {
		return c.Folder
	}
	return filepath.Join(c.Data, "files")
}

// Close ends the janitor. Requests are the HTTP server's to end. It may be called twice.
func (s *Server) Close() error {
	s.closing.Do(func() { close(s.done) })
	s.wg.Wait()
	return nil
}

// Handler is to be mounted at /files/. Who finds out by its token who a request is from.
func (s *Server) Handler(who func(*http.Request) (auth.Identity, error)) http.Handler {
	mux := http.NewServeMux()
	if why := s.cfg.Closed(); why != "" {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refusal.Answer(w, r, refusal.New(refusal.NotAllowed, "%s", why), s.log)
		})
	}
	mux.HandleFunc("OPTIONS "+prefix, s.options)
	mux.HandleFunc("POST "+prefix+"{$}", s.receive(who, s.tus.PostFile))
	mux.HandleFunc("PATCH "+prefix+"{file}", s.receive(who, s.tus.PatchFile))
	mux.HandleFunc("DELETE "+prefix+"{file}", s.asks(who, s.tus.DelFile))
	mux.HandleFunc("GET "+prefix+"{file}", s.fetch)
	offset := s.asks(who, s.tus.HeadFile)
	mux.HandleFunc("HEAD "+prefix+"{file}", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("sig") { // as GET of that address, without the content
			s.fetch(w, r)
			return
		}
		offset(w, r) // how far an upload has come
	})
	return mux
}

// local is where an upload lies until it is finished, and beside it what is made of it then.
func (s *Server) local(name string) string { return filepath.Join(s.folder, uploadingFolder, name) }

// Endings of what is made of an upload when it is finished.
const cleanEnding = ".clean"

func (s *Server) removeLocal(id string) error {
	var failed error
	for _, name := range []string{id, id + cleanEnding, ThumbnailOf(id)} {
		if err := os.Remove(s.local(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// storageFailed is what a user is told of an error of the disk or the bucket, which is logged here.
func (s *Server) storageFailed(what string, err error) error {
	s.log.Error("files are not stored", "step", what, "err", err)
	s.metrics.failed.Inc()
	return refusal.After(10*time.Second, refusal.StorageFailed, "The server cannot store files now. Try again later.")
}

// isID reports whether a file can have this id. So no path comes from what a client sends.
func isID(id string) bool {
	if len(id) != idLength {
		return false
	}
	for i := range id {
		if c := id[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// idLength is that of crypto/rand.Text.
const idLength = 26

type metrics struct {
	received prometheus.Counter
	finished prometheus.Counter
	sent     prometheus.Counter
	removed  prometheus.Counter
	failed   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "carillon_files_" + name, Help: help})
	}
	m := &metrics{
		received: counter("received_bytes_total", "Bytes of uploads that were written."),
		finished: counter("finished_total", "Uploads that were finished."),
		sent:     counter("sent_bytes_total", "Bytes of files that were sent."),
		removed:  counter("removed_total", "Files and interrupted uploads that were removed."),
		failed:   counter("failures_total", "What was not stored because the disk or the bucket failed."),
	}
	if reg != nil {
		reg.MustRegister(m.received, m.finished, m.sent, m.removed, m.failed)
	}
	return m
}
