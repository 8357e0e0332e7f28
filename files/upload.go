package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"

	"carillon/limit"
	"carillon/refusal"
)

const (
	// retryUpload is after what time a client tries to go on.
	retryUpload = time.Second
	// checkBytes is after how many bytes it is looked again whether the disk has room.
	checkBytes = 16 << 20
	// slowTime is the time in which slowBytes must come: who sends less keeps a place for nothing.
	slowTime  = time.Minute
	slowBytes = 8 << 10
)

// uploads is where tusd stores them. What an upload is stands in its row, its bytes in a file, and how
// many have come is the size of that: so a server that is killed goes on where the disk is.
//
// tusd's own store of that kind would keep a second account of each upload in a file beside it.
type uploads struct{ s *Server }

// upload is one of them, for one request. tusd lets one request at a time have it.
type upload struct {
	s      *Server
	f      File
	offset int64
}

// NewUpload begins an upload, before any byte of it has come.
func (u uploads) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	a := askingOf(ctx)
	f, err := u.s.begin(ctx, a, info)
	if err != nil {
		return nil, a.refuse(err)
	}
	return &upload{s: u.s, f: f}, nil
}

// begin decides whether a file may come, and counts it from now on.
func (s *Server) begin(ctx context.Context, a *asking, info handler.FileInfo) (File, error) {
	if err := s.limits.maySize(s.cfg.Quota, info.Size); err != nil {
		return File{}, err
	}
	if err := s.limits.uploads.Take(limit.PayerOf(ctx), 1, s.now()); err != nil {
		return File{}, err
	}
	if err := s.hasRoom(info.Size); err != nil {
		return File{}, err
	}
	f := File{ID: rand.Text(), Owner: a.who.User, Guest: a.who.Guest, State: Uploading, Bytes: info.Size}
	f.describe(info.MetaData)
	err := s.store.WriteFiles(ctx, func(tx Tx) error {
		now, err := tx.Now()
		if err != nil {
			return err
		}
		f.CreatedAt, f.CollectAt = now, now+s.cfg.interrupted().Milliseconds()
		own, all, err := charge(tx, f, 0)
		if err != nil {
			return err
		}
		if err := s.limits.mayHave(s.cfg.Quota, f.Guest, own, all); err != nil {
			return err
		}
		return tx.PutFile(f)
	})
	if err != nil {
		return File{}, err
	}
	file, err := os.OpenFile(s.local(f.ID), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return File{}, errors.Join(s.storageFailed("begin an upload", err), s.discard(ctx, f.ID))
	}
	return f, nil
}

// Largest of what an owner may say of a file.
const (
	mostClaimedMS   = 24 * 60 * 60 * 1000
	mostClaimedSide = 1 << 14
)

// describe takes what the owner says of a file. What can be found out replaces it later.
func (f *File) describe(said handler.MetaData) {
	name := said["name"]
	if name == "" {
		name = said["filename"] // as most clients call it
	}
	f.Name = cleanName(name)
	number := func(key string, most int) int {
		if n, err := strconv.Atoi(said[key]); err == nil && n > 0 && n <= most {
			return n
		}
		return 0
	}
	f.Width, f.Height = number("width", mostClaimedSide), number("height", mostClaimedSide)
	f.DurationMS = int64(number("duration_ms", mostClaimedMS))
	if w := said["waveform"]; w != "" {
		f.Waveform = []byte(w[:min(len(w), MaxWaveform)])
	}
}

// hasRoom refuses what would leave the disk with too little for the database.
func (s *Server) hasRoom(bytes int64) error {
	free, err := freeBytes(s.folder)
	if err != nil {
		return s.storageFailed("look for room", err)
	}
	if free-bytes < int64(s.cfg.Quota.FreeBytes) {
		s.limits.freeBytes.Add()
		return refusal.After(time.Minute, refusal.StorageFailed, "The server has no room for this file. Try again later.")
	}
	return nil
}

// GetUpload finds an upload of who asks. One of which all bytes have come, and which could not be
// finished then, is finished now.
func (u uploads) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	a, s := askingOf(ctx), u.s
	if !isID(id) {
		return nil, handler.ErrNotFound
	}
	var f File
	err := s.store.ReadFiles(ctx, func(v View) (err error) {
		var found bool
		if f, found, err = v.File(id); err == nil && (!found || f.Owner != a.who.User || f.State == Removed) {
			err = errNoFile
		}
		return err
	})
	if err != nil {
		return nil, a.refuse(err)
	}
	up := &upload{s: s, f: f, offset: f.Bytes}
	if f.State == Finished || a.cancels {
		return up, nil
	}
	if up.offset, err = s.offset(f); err != nil {
		return nil, a.refuse(err)
	}
	if up.offset == f.Bytes {
		if err := up.FinishUpload(ctx); err != nil {
			return nil, err
		}
	}
	return up, nil
}

// offset is how many bytes of an upload have come.
func (s *Server) offset(f File) (int64, error) {
	info, err := os.Stat(s.local(f.ID))
	switch {
	case err == nil:
		return min(info.Size(), f.Bytes), nil
	case !errors.Is(err, fs.ErrNotExist):
		return 0, s.storageFailed("go on with an upload", err)
	case s.cfg.Shared:
		return 0, refusal.After(retryUpload, refusal.UploadElsewhere, "Another node of this server has the beginning of the upload. Try again.")
	}
	return 0, errNoFile // as after a backup was restored, which has no uploads that are not finished
}

// AsTerminatableUpload is for tusd.
func (u uploads) AsTerminatableUpload(up handler.Upload) handler.TerminatableUpload {
	return up.(*upload)
}

func (u *upload) GetInfo(context.Context) (handler.FileInfo, error) {
	return handler.FileInfo{ID: u.f.ID, Size: u.f.Bytes, Offset: u.offset}, nil
}

// GetReader is not asked for: tusd serves no files here.
func (u *upload) GetReader(context.Context) (io.ReadCloser, error) {
	return nil, handler.ErrNotImplemented
}

// WriteChunk appends what comes. What it has written counts, whatever happens then.
func (u *upload) WriteChunk(ctx context.Context, offset int64, from io.Reader) (n int64, err error) {
	a, s := askingOf(ctx), u.s
	if err := s.hasRoom(u.f.Bytes - offset); err != nil {
		return 0, a.refuse(err)
	}
	if err := s.touch(ctx, u.f.ID); err != nil {
		return 0, a.refuse(err)
	}
	file, err := os.OpenFile(s.local(u.f.ID), os.O_WRONLY, 0)
	if err != nil {
		return 0, a.refuse(s.storageFailed("open an upload", err))
	}
	n, err = s.append(file, offset, from)
	u.offset = offset + n
	s.metrics.received.Add(float64(n))
	if late := errors.Join(file.Sync(), file.Close()); late != nil && err == nil {
		err = s.storageFailed("sync an upload", late)
	}
	if err != nil {
		return n, a.refuse(err)
	}
	return n, nil
}

// append copies to a file from an offset on. It ends when from ends, by itself or because it fails,
// which tusd tells.
func (s *Server) append(to *os.File, offset int64, from io.Reader) (n int64, _ error) {
	if _, err := to.Seek(offset, io.SeekStart); err != nil {
		return 0, s.storageFailed("go on with an upload", err)
	}
	part := make([]byte, 32<<10)
	checked, slow := int64(0), pace{since: s.now()}
	for {
		got, end := from.Read(part)
		written, err := to.Write(part[:got])
		n += int64(written)
		if err != nil {
			return n, s.storageFailed("write an upload", err)
		}
		if end != nil {
			return n, nil
		}
		if n-checked >= checkBytes {
			checked = n
			if err := s.hasRoom(0); err != nil {
				return n, err
			}
		}
		if slow.tooSlow(got, s.now()) {
			return n, refusal.After(retryUpload, refusal.RateLimited, "The upload is too slow. Go on with it over a better connection.")
		}
	}
}

// pace finds who sends too slowly. Time begins anew whenever enough has come.
type pace struct {
	since time.Time
	bytes int
}

func (p *pace) tooSlow(got int, now time.Time) bool {
	p.bytes += got
	switch {
	case p.bytes >= slowBytes:
		*p = pace{since: now}
		return false
	default:
		return now.Sub(p.since) > slowTime
	}
}

// touch lets the janitor wait for an upload that is gone on with.
func (s *Server) touch(ctx context.Context, id string) error {
	return s.change(ctx, id, func(tx Tx, f *File) error {
		if f.State != Uploading {
			return errNoFile
		}
		now, err := tx.Now()
		f.CollectAt = now + s.cfg.interrupted().Milliseconds()
		return err
	})
}

// change changes the row of a file.
func (s *Server) change(ctx context.Context, id string, change func(tx Tx, f *File) error) error {
	return s.store.WriteFiles(ctx, func(tx Tx) error {
		f, found, err := tx.LockFile(id)
		if err == nil && !found {
			err = errNoFile
		}
		if err != nil {
			return err
		}
		if err := change(tx, &f); err != nil {
			return err
		}
		return tx.PutFile(f)
	})
}

// FinishUpload is called when the last byte has come.
func (u *upload) FinishUpload(ctx context.Context) error {
	a := askingOf(ctx)
	_ = a.answer.SetWriteDeadline(u.s.now().Add(finishTime + silence)) // else the answer comes too late only
	f, err := u.s.finish(ctx, u.f)
	if err != nil {
		return a.refuse(err)
	}
	u.f, u.offset = f, f.Bytes
	return nil
}

// Terminate cancels an upload, or removes a finished file that no message has.
func (u *upload) Terminate(ctx context.Context) error {
	if err := u.s.discard(ctx, u.f.ID); err != nil {
		return askingOf(ctx).refuse(err)
	}
	return nil
}

var errInMessage = refusal.New(refusal.NotAllowed, "A message has this file. Recall the message.")

// discard lets the janitor remove a file at once.
func (s *Server) discard(ctx context.Context, id string) error {
	err := s.change(ctx, id, func(tx Tx, f *File) error {
		if f.CollectAt == 0 {
			return errInMessage
		}
		now, err := tx.Now()
		f.State, f.CollectAt = Removed, now
		return err
	})
	if err != nil {
		return fmt.Errorf("discard file: %w", err)
	}
	select {
	case s.soon <- struct{}{}:
	default: // it is to look already
	}
	return nil
}
