package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Data is the data folder: the database and the secrets that nobody has to choose.
type Data struct {
	Path string
	lock *os.File // nil while only read
}

// DataPath is where the data folder is: the one named, or the user's own.
func (c Config) DataPath() (string, error) {
	if c.Data != "" {
		return filepath.Abs(c.Data)
	}
	if home := os.Getenv("XDG_DATA_HOME"); home != "" {
		return filepath.Join(home, "carillon"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the data folder: %w; name one with --data", err)
	}
	return filepath.Join(home, ".local", "share", "carillon"), nil
}

// OpenData makes the folder when it is new, readable by its owner only, and locks it: two
// servers never share one.
func OpenData(path string) (*Data, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w; name another with --data", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w; name another with --data", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("the data folder %s is in use by another carillon; stop that one or name another folder with --data", path)
	}
	return &Data{Path: path, lock: lock}, nil
}

// Close gives the folder free. Twice is fine.
func (d *Data) Close() error {
	if err := d.lock.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Secret returns the secret of that name, at least 32 bytes of text, generated once.
func (d *Data) Secret(name string) ([]byte, error) {
	file := filepath.Join(d.Path, name+".secret")
	secret, err := readSecret(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	secret = make([]byte, 32)
	rand.Read(secret) // never fails
	text := base64.RawURLEncoding.EncodeToString(secret)
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("keep the generated secret: %w", err)
	}
	return []byte(text), nil
}

// ReadSecret reads a secret of a folder that a running server may hold.
func ReadSecret(path, name string) ([]byte, error) {
	secret, err := readSecret(filepath.Join(path, name+".secret"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no %s secret yet: start carillon there once", path, name)
	}
	return secret, err
}

func readSecret(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the generated secret: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < 32 {
		return nil, fmt.Errorf("%s is shorter than 32 bytes: delete it, and the next start makes a new one", file)
	}
	return []byte(secret), nil
}
