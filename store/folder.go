package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// databaseFile is in the data folder. SQLite puts two more beside it.
const databaseFile = "carillon.db"

// lockFolder makes the data folder, closes it to other users, and locks it until the
// returned file is closed. The kernel gives the lock back when the process dies, however it
// dies.
func lockFolder(folder string, log *slog.Logger) (*os.File, error) {
	if folder == "" {
		return nil, errors.New("no data folder is given")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if err := closeToOthers(folder, log); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("data folder %s is in use by another carillon; stop that one or give this one its own with --data", folder)
	case err != nil:
		_ = f.Close()
		return nil, fmt.Errorf("lock data folder %s: %w", folder, err)
	}
	return f, nil
}

// closeToOthers takes from other users of this machine whatever a wider umask, an older
// version or somebody's hand has given them of the folder. A folder that holds other
// things than ours, such as a home, keeps its mode; if everyone may write there, anyone
// could have put in a secret of their own, so it is refused.
func closeToOthers(folder string, log *slog.Logger) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("read data folder: %w", err)
	}
	foreign := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !ours(e.Name()) })
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("read data folder: %w", err)
	}
	switch {
	case !foreign:
		leaveToOwner(folder, info, log)
	case info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("data folder %s holds other things too, and everyone may write there; give carillon a folder of its own with --data", folder)
	}
	for _, e := range entries {
		if !ours(e.Name()) || e.Name() == lostAndFound {
			continue
		}
		err := filepath.WalkDir(filepath.Join(folder, e.Name()), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.Type()&fs.ModeSymlink != 0 {
				return err
			}
			info, err := e.Info()
			if err == nil {
				leaveToOwner(path, info, log)
			}
			if err == nil && path == filepath.Join(folder, filesFolder) {
				return fs.SkipDir // nobody comes past it, and there may be very many in it
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read data folder: %w", err)
		}
	}
	return nil
}

// filesFolder is where package files keeps what people send, unless files.folder is another.
const filesFolder = "files"

// lostAndFound is the file system's own.
const lostAndFound = "lost+found"

// ours reports whether carillon has put a file of this name into its data folder.
func ours(name string) bool {
	return strings.HasPrefix(name, databaseFile) || strings.HasSuffix(name, ".secret") ||
		slices.Contains([]string{"acme", filesFolder, "lock", "running", lostAndFound}, name)
}

// leaveToOwner takes a file or folder from all but its owner, and says so if others had it.
func leaveToOwner(path string, info fs.FileInfo, log *slog.Logger) {
	mode := info.Mode().Perm()
	if mode&0o077 == 0 {
		return
	}
	was := fmt.Sprintf("%04o", mode)
	if err := os.Chmod(path, mode&0o700); err != nil {
		log.Warn("other users of this machine may read the data, and its mode cannot be changed", "path", path, "mode", was, "err", err)
		return
	}
	log.Warn("other users of this machine could read the data; now they cannot", "path", path, "mode", was)
}

// makeDatabase makes an empty database that only its owner can read, if there is none. The
// files that SQLite puts beside it get its mode.
func makeDatabase(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("make database %s: %w", file, err)
	}
	return f.Close()
}
