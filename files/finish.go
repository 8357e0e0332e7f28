package files

import (
	"context"
	"errors"
	"os"
	"time"

	"carillon/refusal"
)

const (
	// finishTime bounds what is done with a file whose last byte has come, the way into a bucket included.
	finishTime = 10 * time.Minute
	// turnTime is how long an image waits until those before it have got their thumbnails.
	turnTime = 30 * time.Second
)

// finish finds out what an upload is and keeps it. It goes on when nobody waits for it any more, and
// may be done again when the server died meanwhile: the upload is there until the row says that its
// file is kept.
func (s *Server) finish(ctx context.Context, f File) (File, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	local := s.local(f.ID)
	if err := syncPath(local); err != nil {
		return f, s.storageFailed("sync an upload", err)
	}
	was := f.cost()
	keep, err := s.inspect(ctx, &f, local)
	if err != nil {
		return f, s.storageFailed("look at an upload", err)
	}
	if err := s.content.keep(ctx, keep, f.ID, f.Type); err != nil {
		return f, s.storageFailed("keep a file", err)
	}
	if f.Thumbnail != "" {
		if err := s.content.keep(ctx, s.local(ThumbnailOf(f.ID)), ThumbnailOf(f.ID), f.Thumbnail); err != nil {
			return f, s.storageFailed("keep a thumbnail", err)
		}
	}
	err = s.store.WriteFiles(ctx, func(tx Tx) error {
		now, found, err := tx.LockFile(f.ID)
		if err == nil && (!found || now.State != Uploading) {
			err = errNoFile // cancelled meanwhile
		}
		if err != nil {
			return err
		}
		if _, _, err := charge(tx, f, was); err != nil {
			return err
		}
		at, err := tx.Now()
		f.State, f.CollectAt = Finished, at+s.cfg.unused().Milliseconds()
		if err != nil {
			return err
		}
		return tx.PutFile(f)
	})
	if err == errNoFile {
		err = errors.Join(err, s.content.remove(ctx, f.ID), s.content.remove(ctx, ThumbnailOf(f.ID)))
	}
	if err != nil {
		return f, err
	}
	s.metrics.finished.Inc()
	if err := s.removeLocal(f.ID); err != nil {
		s.log.Warn("remove a finished upload", "err", err) // the janitor finds it again
	}
	return f, nil
}

// inspect fills in what a file is, and returns the path of what is to be kept of it.
func (s *Server) inspect(ctx context.Context, f *File, local string) (keep string, err error) {
	from, err := os.Open(local)
	if err != nil {
		return "", err
	}
	defer from.Close()
	if f.Type, err = typeOf(from); err != nil {
		return "", err
	}
	switch {
	case strippers[f.Type] != nil:
		f.DurationMS, f.Waveform = 0, nil
		return s.inspectImage(ctx, f, from)
	case isTimed(f.Type):
		found := timing(f.Type, from, f.Bytes)
		if found.durationMS > 0 {
			f.DurationMS = found.durationMS
		}
		if found.width > 0 && found.height > 0 {
			f.Width, f.Height = found.width, found.height
		}
		f.Claimed = found.durationMS == 0 && f.DurationMS > 0 || found.width == 0 && f.Width > 0
	default:
		f.Width, f.Height, f.DurationMS, f.Waveform = 0, 0, 0, nil
	}
	return local, nil
}

// inspectImage strips an image and makes its thumbnail.
func (s *Server) inspectImage(ctx context.Context, f *File, from *os.File) (keep string, err error) {
	f.Width, f.Height = 0, 0
	if _, err := from.Seek(0, 0); err != nil {
		return "", err
	}
	clean, err := os.OpenFile(s.local(f.ID+cleanEnding), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, clean.Close()) }()
	found, err := strip(f.Type, clean, from)
	if errors.Is(err, errBroken) {
		f.Type = unknownType
		return from.Name(), nil
	}
	if err != nil {
		return "", err
	}
	info, err := clean.Stat()
	if err != nil {
		return "", err
	}
	f.Bytes = info.Size()
	thumbnail, err := os.OpenFile(s.local(ThumbnailOf(f.ID)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, thumbnail.Close()) }()
	most := s.cfg.ImagePixels
	if s.waitForTurn(ctx) {
		defer func() { <-s.decoding }()
	} else {
		most = 0
	}
	p, err := look(clean, found, most, thumbnail)
	if err != nil {
		return "", err
	}
	f.Width, f.Height, f.Thumbnail = p.width, p.height, p.thumbnail
	return clean.Name(), errors.Join(clean.Sync(), thumbnail.Sync())
}

// waitForTurn waits until no other image is decoded. False: that took too long.
func (s *Server) waitForTurn(ctx context.Context) bool {
	timer := time.NewTimer(turnTime)
	defer timer.Stop()
	select {
	case s.decoding <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// errGone is of a file whose content is not where its row says.
var errGone = refusal.New(refusal.NotFound, "The file is not there any more.")
