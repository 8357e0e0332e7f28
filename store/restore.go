package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carillon/files"
)

// oldSuffix is what the database of a folder gets when another one is restored there.
const oldSuffix = ".old"

// Restore puts the database of a backup into a data folder that nobody uses, after it was checked, and
// the files of people into the folder filesAt, beside what is there: a file's id is never used again.
// If the folder has a database already it does so only when replace is true, and puts that one aside
// as carillon.db.old. Nothing is changed when the backup is not good.
//
// A tab that has seen more than the backup holds begins anew when it comes back: the restored
// database knows none of the openings of which tabs can tell.
func Restore(ctx context.Context, file, folder, filesAt string, replace bool, log *slog.Logger) (m Manifest, err error) {
	lock, err := lockFolder(folder, log)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	at := filepath.Join(folder, databaseFile)
	_, missing := os.Stat(at)
	if !errors.Is(missing, fs.ErrNotExist) && !replace {
		return m, fmt.Errorf("data folder %s has a database already; name another folder with --data, or put that database aside with --force", folder)
	}
	unpacked := at + ".restoring"
	defer func() { err = errors.Join(err, removeDatabase(unpacked)) }()
	restoring := filepath.Join(filesAt, "restoring")
	defer func() { err = errors.Join(err, os.RemoveAll(restoring)) }()
	if m, err = unpack(file, unpacked, restoring); err != nil {
		return m, fmt.Errorf("restore %s: %w", file, err)
	}
	if err := checkDatabase(ctx, unpacked); err != nil {
		return m, err
	}
	if err := migrateSQLite(ctx, sqliteDSN(unpacked), unpacked); err != nil {
		return m, err
	}
	if err := forgetOpenings(ctx, unpacked); err != nil {
		return m, err
	}
	if err := putFiles(m, restoring, filesAt); err != nil {
		return m, err
	}
	for _, part := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(at+part, at+oldSuffix+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, fmt.Errorf("put the old database aside: %w", err)
		}
	}
	if err := os.Rename(unpacked, at); err != nil {
		return m, fmt.Errorf("restore database: %w", err)
	}
	return m, syncFolder(folder)
}

// putFiles moves the files of a backup from where they were unpacked to where they are kept.
func putFiles(m Manifest, restoring, filesAt string) error {
	for _, f := range m.Files {
		path, of := strings.CutPrefix(f.Name, filesPrefix)
		if !of {
			continue
		}
		to := filepath.Join(filesAt, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return fmt.Errorf("restore files: %w", err)
		}
		if err := os.Rename(filepath.Join(restoring, filepath.FromSlash(path)), to); err != nil {
			return fmt.Errorf("restore files: %w", err)
		}
	}
	return nil
}

func forgetOpenings(ctx context.Context, file string) (err error) {
	db, err := openExisting(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "DELETE FROM openings"); err != nil {
		return fmt.Errorf("forget openings: %w", err)
	}
	return nil
}

func removeDatabase(file string) (err error) {
	for _, part := range []string{"", "-wal", "-shm"} {
		if one := os.Remove(file + part); one != nil && !errors.Is(one, fs.ErrNotExist) {
			err = errors.Join(err, one)
		}
	}
	return err
}

// unpack writes the database of an archive to a file, and people's files to a folder, if they are as
// the manifest says.
func unpack(archive, to, filesTo string) (m Manifest, err error) {
	f, err := os.Open(archive)
	if err != nil {
		return m, err
	}
	defer f.Close()
	r := tar.NewReader(f)
	if m, err = readManifest(r); err != nil {
		return m, err
	}
	for _, want := range m.Files {
		h, err := r.Next()
		if err != nil {
			return m, fmt.Errorf("%s is missing: %w", want.Name, err)
		}
		if h.Name != want.Name || h.Size != want.Bytes || h.Typeflag != tar.TypeReg {
			return m, fmt.Errorf("%s with %d bytes is where %s with %d bytes should be", h.Name, h.Size, want.Name, want.Bytes)
		}
		target := to
		if path, of := strings.CutPrefix(want.Name, filesPrefix); of {
			target = filepath.Join(filesTo, filepath.FromSlash(path))
			if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
				return m, err
			}
		}
		if err := unpackFile(r, want, target); err != nil {
			return m, err
		}
	}
	return m, nil
}

func readManifest(r *tar.Reader) (m Manifest, err error) {
	h, err := r.Next()
	if err != nil || h.Name != manifestFile {
		return m, errors.New("it is no backup of carillon")
	}
	text, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	if m.Format != backupFormat {
		return m, fmt.Errorf("it has format %d, this carillon reads %d; restore it with version %s, which made it", m.Format, backupFormat, m.Version)
	}
	foreign := func(f BackupFile) bool {
		path, of := strings.CutPrefix(f.Name, filesPrefix)
		return !of || !files.IsKeptPath(path)
	}
	if len(m.Files) == 0 || m.Files[0].Name != databaseFile || slices.ContainsFunc(m.Files[1:], foreign) {
		return m, errors.New("its manifest names other files than a database and what people have sent")
	}
	return m, nil
}

func unpackFile(r io.Reader, want BackupFile, to string) (err error) {
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	hash := sha256.New()
	if n, err := io.Copy(io.MultiWriter(out, hash), r); err != nil {
		return fmt.Errorf("%s after %d bytes: %w", want.Name, n, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want.SHA256 {
		return fmt.Errorf("%s is damaged: its SHA-256 is %s, want %s", want.Name, got, want.SHA256)
	}
	return out.Sync()
}
