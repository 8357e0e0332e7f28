package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockFolder makes the data folder and locks it until the returned file is closed. The
// kernel gives the lock back when the process dies, however it dies.
func lockFolder(folder string) (*os.File, error) {
	if folder == "" {
		return nil, errors.New("no data folder is given")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
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
