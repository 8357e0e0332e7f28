package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// collectEvery is how often it is looked for files that nobody needs.
	collectEvery = 10 * time.Minute
	// collectPage is how many of them are looked at in one read.
	collectPage = 100
	// sweepAfter is how much longer than an upload may stand still what nobody knows lies in its folder.
	sweepAfter = 24 * time.Hour
)

// janitor removes files that nobody needs, until Close. All nodes do so.
func (s *Server) janitor() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.wg.Go(func() { <-s.done; cancel() })
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	for {
		if err := s.collect(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("remove files that nobody needs", "err", err)
		}
		select {
		case <-s.done:
			return
		case <-s.soon:
		case <-ticker.C:
			s.sweep(ctx)
		}
	}
}

// collect removes the files whose time has come.
func (s *Server) collect(ctx context.Context) error {
	for {
		var page []File
		if err := s.store.ReadFiles(ctx, func(v View) (err error) {
			page, err = v.Collectable(collectPage)
			return err
		}); err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		guard, err := lockGuard(s.folder, unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil // a backup is being made; next time
		}
		if err != nil {
			return err
		}
		removed, failed := s.removeAll(ctx, page)
		if err := errors.Join(failed, guard.Close()); err != nil || removed == 0 {
			return err
		}
	}
}

// removeAll removes those of files that nobody has taken up meanwhile. One that cannot be removed
// keeps none from it.
func (s *Server) removeAll(ctx context.Context, page []File) (removed int, failed error) {
	for _, f := range page {
		gone, err := s.remove(ctx, f.ID)
		if err != nil {
			failed = fmt.Errorf("file %s: %w", f.ID, err)
		}
		if gone {
			removed++
		}
	}
	return removed, failed
}

// remove first sees to it that no message can have the file any more, then deletes its content, then
// its row: so content that is there has a row at any time.
func (s *Server) remove(ctx context.Context, id string) (bool, error) {
	var f File
	err := s.store.WriteFiles(ctx, func(tx Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		var found bool
		if f, found, err = tx.LockFile(id); err != nil || !found || f.CollectAt == 0 || f.CollectAt > now {
			f = File{}
			return err
		}
		f.State = Removed
		return tx.PutFile(f)
	})
	if err != nil || f.ID == "" {
		return false, err
	}
	if err := s.content.remove(ctx, id); err != nil {
		return false, err
	}
	if err := s.content.remove(ctx, ThumbnailOf(id)); err != nil {
		return false, err
	}
	if err := s.removeLocal(id); err != nil {
		return false, err
	}
	err = s.store.WriteFiles(ctx, func(tx Tx) error {
		f, found, err := tx.LockFile(id)
		if err != nil || !found {
			return err
		}
		for _, someone := range []string{f.Owner, f.kindOfOwner()} {
			if _, err := tx.AddUsage(someone, -f.cost()); err != nil {
				return err
			}
		}
		return tx.DeleteFile(id)
	})
	if err == nil {
		s.metrics.removed.Inc()
	}
	return err == nil, err
}

// sweep removes what lies in the folder of uploads and belongs to none: another node has removed the
// row of an upload that began here.
func (s *Server) sweep(ctx context.Context) {
	entries, err := os.ReadDir(filepath.Join(s.folder, uploadingFolder))
	if err != nil {
		s.log.Warn("look through uploads", "err", err)
		return
	}
	before := s.now().Add(-s.cfg.interrupted() - sweepAfter)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.ModTime().After(before) || len(e.Name()) < idLength {
			continue
		}
		id := e.Name()[:idLength]
		err = s.store.ReadFiles(ctx, func(v View) error {
			f, found, err := v.File(id)
			if err != nil || found && f.State == Uploading {
				return err
			}
			if err := os.Remove(s.local(e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("remove what is left of an upload", "err", err)
			return
		}
	}
}
