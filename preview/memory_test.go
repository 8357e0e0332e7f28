package preview

import (
	"context"
	"sync"
	"time"

	"carillon/chat"
)

// memory keeps previews for the tests of this package; that the database does so is proved in package store, and
// both together in serve_previews_test.go.
type memory struct {
	mu       sync.Mutex
	links    map[string]chat.Preview
	pictures map[string][]byte
}

func (m *memory) Preview(_ context.Context, link string, _ time.Duration) (chat.Preview, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, there := m.links[link]
	return p, there, nil
}

func (m *memory) PutPreview(_ context.Context, link string, p chat.Preview, jpeg []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.links[link] = p
	if p.Picture != nil {
		m.pictures[p.Picture.Key] = jpeg
	}
	return nil
}

func (m *memory) PreviewPicture(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	jpeg, there := m.pictures[key]
	return jpeg, there, nil
}
