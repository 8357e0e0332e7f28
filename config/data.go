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
)

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

// Secret returns the secret of that name in the data folder, at least 32 bytes of text,
// generated once. Who calls it has locked the folder.
func Secret(folder, name string) ([]byte, error) {
	file := filepath.Join(folder, name+".secret")
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
func ReadSecret(folder, name string) ([]byte, error) {
	secret, err := readSecret(filepath.Join(folder, name+".secret"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no %s secret yet: start carillon there once", folder, name)
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
