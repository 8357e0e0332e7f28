package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"golang.org/x/sys/unix"
)

// content is where the content of finished files is kept: a folder or a bucket. What is asked for and
// is not there is fs.ErrNotExist.
type content interface {
	// keep puts a local file of a type under a name, in place of what is there. The local one is the
	// caller's to remove.
	keep(ctx context.Context, local, name, mediaType string) error
	open(ctx context.Context, name string, bytes int64) (io.ReadSeekCloser, error)
	remove(ctx context.Context, name string) error
}

// thumbnailEnding follows the id of a file in the name of its thumbnail.
const thumbnailEnding = ".thumbnail"

// Folders in the folder of files.
const (
	keptFolder      = "kept"    // finished files, by the first letters of their ids
	uploadingFolder = "uploads" // those that are not finished
	guardFile       = "lock"    // see Guard
)

// KeptPath is where a finished file, or with the ending its thumbnail, lies below the folder of files.
func KeptPath(name string) string { return filepath.Join(keptFolder, name[:2], name) }

// keptPaths are those that KeptPath makes.
var keptPaths = regexp.MustCompile(`^kept/[A-Z2-7]{2}/([A-Z2-7]{26})(?:\.thumbnail)?$`)

// IsKeptPath reports whether KeptPath has made a path, with slashes.
func IsKeptPath(path string) bool {
	found := keptPaths.FindStringSubmatch(path)
	return found != nil && path[5:7] == found[1][:2]
}

// ThumbnailOf is the name of a file's thumbnail.
func ThumbnailOf(id string) string { return id + thumbnailEnding }

// folder keeps files on a disk.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), KeptPath(name)) }

func (f folder) keep(_ context.Context, local, name, _ string) error {
	to := f.path(name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("keep file: %w", err)
	}
	// There is one if the server died when it had kept the file, and before its row said so.
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep file: %w", err)
	}
	if os.Link(local, to) != nil { // not all file systems have links
		if err := copyFile(local, to); err != nil {
			return fmt.Errorf("keep file: %w", err)
		}
	}
	return syncPath(filepath.Dir(to))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}

func (f folder) open(_ context.Context, name string, _ int64) (io.ReadSeekCloser, error) {
	return os.Open(f.path(name))
}

func (f folder) remove(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove file: %w", err)
	}
	return nil
}

// syncPath puts a file, or the names in a folder, on disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// freeBytes is how many bytes of the disk with a path anyone may still write.
func freeBytes(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("ask how much space is free at %s: %w", path, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// Guard keeps everything that is kept in a folder of files from being removed until release is
// called, also by another process: a backup is made of it.
func Guard(folder string) (release func() error, err error) {
	f, err := lockGuard(folder, unix.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("keep files of %s from being removed: %w", folder, err)
	}
	return f.Close, nil
}

func lockGuard(folder string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, guardFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
