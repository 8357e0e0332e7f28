package files_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"carillon/files"
	"carillon/refusal"
)

// service is a bucket at a service that speaks S3, and that can fail.
type service struct {
	*httptest.Server
	fails   atomic.Bool
	backend *s3mem.Backend
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{backend: s3mem.New()}
	if err := s.backend.CreateBucket("people"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(s.backend).Server()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.fails.Load() {
			http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) config() files.Config {
	return files.Config{S3: files.S3{Bucket: "people", Endpoint: s.URL, Region: "us-east-1", Prefix: "carillon/", AccessKey: "key", SecretKey: "secret"}}
}

func (s *service) names(t *testing.T) (names []string) {
	t.Helper()
	list, err := s.backend.ListBucket("people", nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		names = append(names, o.Key)
	}
	return names
}

// In a bucket a file is what it is on a disk: in parts, with its thumbnail, and gone when it is removed.
func TestFilesAreKeptInABucket(t *testing.T) {
	s := newService(t)
	w := newWorld(t, s.config())
	content := random(20 << 20) // more than one part
	f := w.upload("alice", content, map[string]string{"name": "large.bin"})
	address := w.url("alice", f.ID).URL
	if a := w.get(address); a.status != http.StatusOK || !bytes.Equal(a.body, content) {
		t.Errorf("got %d, %d bytes", a.status, len(a.body))
	}
	if a := w.ask("GET", address, "", nil, map[string]string{"Range": "bytes=17000000-17000009"}); a.status != http.StatusPartialContent || !bytes.Equal(a.body, content[17_000_000:17_000_010]) {
		t.Errorf("ten bytes: got %d, %d bytes", a.status, len(a.body))
	}
	if a := w.ask("HEAD", address, "", nil, nil); a.status != http.StatusOK || a.header.Get("Content-Length") != "20971520" {
		t.Errorf("HEAD: got %d, %s bytes", a.status, a.header.Get("Content-Length"))
	}
	if w.localBytes("/files/"+f.ID) != -1 {
		t.Error("the upload is on the disk still")
	}
	picture := w.upload("alice", largePicture(t), nil)
	if a := w.get(w.url("alice", picture.ID).Thumbnail); a.status != http.StatusOK || a.header.Get("Content-Type") != "image/jpeg" || len(a.body) == 0 {
		t.Errorf("a thumbnail: got %d, %s, %d bytes", a.status, a.header.Get("Content-Type"), len(a.body))
	}
	for _, name := range s.names(t) {
		if !strings.HasPrefix(name, "carillon/") {
			t.Errorf("the bucket has %s", name)
		}
	}
	if n := len(s.names(t)); n != 3 {
		t.Errorf("the bucket has %v, want two files and a thumbnail", s.names(t))
	}
	for _, id := range []string{f.ID, picture.ID} {
		if a := w.ask("DELETE", "/files/"+id, "alice", nil, nil); a.status != http.StatusNoContent {
			t.Errorf("remove %s: got %d", id, a.status)
		}
	}
	until(t, "the bucket is empty", func() bool { return len(s.names(t)) == 0 })
}

// A bucket that fails costs nobody their upload: it is finished when the bucket works again, and the
// client has nothing to send twice.
func TestAnUploadWaitsForItsBucket(t *testing.T) {
	s := newService(t)
	w := newWorld(t, s.config())
	content := random(1000)
	path := w.begin("alice", int64(len(content)), nil).header.Get("Location")
	s.fails.Store(true)
	if a := w.patch("alice", path, 0, content); a.status != http.StatusServiceUnavailable || a.code != refusal.StorageFailed {
		t.Fatalf("while the bucket fails: got %d %s, want %s", a.status, a.code, refusal.StorageFailed)
	}
	if a := w.head("alice", path); a.status != http.StatusServiceUnavailable {
		t.Errorf("asked while it fails: got %d", a.status)
	}
	s.fails.Store(false)
	if a := w.head("alice", path); a.status != http.StatusOK || a.header.Get("Upload-Offset") != "1000" {
		t.Errorf("asked when it works: got %d, offset %s", a.status, a.header.Get("Upload-Offset"))
	}
	f := w.row(strings.TrimPrefix(path, "/files/"))
	address := w.url("alice", f.ID).URL
	if a := w.get(address); a.status != http.StatusOK || !bytes.Equal(a.body, content) {
		t.Errorf("got %d, %d bytes", a.status, len(a.body))
	}
	s.fails.Store(true)
	if a := w.get(address); a.code != refusal.StorageFailed {
		t.Errorf("a fetch while it fails: got %d %s", a.status, a.code)
	}
	s.fails.Store(false)
	if err := s.backend.ForceDeleteBucket("people"); err != nil {
		t.Fatal(err)
	}
	if err := s.backend.CreateBucket("people"); err != nil {
		t.Fatal(err)
	}
	if a := w.get(address); a.status != http.StatusNotFound {
		t.Errorf("a fetch of what somebody took out of the bucket: got %d", a.status)
	}
}
