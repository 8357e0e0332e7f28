package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carillon/files"
)

// A backup is one tar archive: first the manifest, then the files that it names. It holds no
// secrets: those are in files of their own, which it leaves out.
const (
	manifestFile = "manifest.json"
	// backupFormat is that of archives which this version writes, and the only one that it reads.
	backupFormat = 1
	// maxManifest is far more than a manifest has.
	maxManifest = 512 << 20
	// filesPrefix is what the names of people's files begin with; what follows is files.KeptPath.
	filesPrefix = "files/"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format  int          `json:"format"`
	Version string       `json:"version"` // of the carillon that made it
	MadeAt  time.Time    `json:"made_at"`
	Files   []BackupFile `json:"files"`
}

// BackupFile is a file in a backup.
type BackupFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// Backup writes a backup of the SQLite database in a data folder, and of the files that people have
// sent, to a file, which it replaces when all is written and on disk. The files are those in the folder
// filesAt that the copied database knows; none with an empty filesAt, as when they are in a bucket. Nobody need stop serving from the folder: the copy is of one moment,
// made by a reader of its own, for which no writer waits. Meanwhile the disk must have room for the
// database twice more where the file is, and for what is written until the end in the data folder.
func Backup(ctx context.Context, folder, filesAt, file, version string) (m Manifest, err error) {
	from := filepath.Join(folder, databaseFile)
	if _, err := os.Stat(from); err != nil {
		return m, fmt.Errorf("back up %s: %w", folder, err)
	}
	temporary, err := os.MkdirTemp(filepath.Dir(file), ".carillon-backup-") // mode 0700
	if err != nil {
		return m, fmt.Errorf("back up to %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	if _, err := os.Stat(filesAt); filesAt == "" || errors.Is(err, fs.ErrNotExist) {
		filesAt = ""
	} else {
		release, failed := files.Guard(filesAt) // before the copy: what that knows stays
		if failed != nil {
			return m, fmt.Errorf("back up files: %w", failed)
		}
		defer func() { err = errors.Join(err, release()) }()
	}
	copied := filepath.Join(temporary, databaseFile)
	if err := copyDatabase(ctx, from, copied); err != nil {
		return m, err
	}
	m = Manifest{Format: backupFormat, Version: version, MadeAt: time.Now().UTC()}
	one, err := describe(copied)
	if err != nil {
		return m, err
	}
	m.Files = []BackupFile{one}
	if filesAt != "" {
		if err := m.addFiles(ctx, copied, filesAt); err != nil {
			return m, err
		}
	}
	whole := filepath.Join(temporary, "archive")
	if err := writeArchive(whole, temporary, filesAt, m); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	if err := os.Rename(whole, file); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	return m, syncFolder(filepath.Dir(file))
}

// copyDatabase makes a copy without free pages, and checks it.
func copyDatabase(ctx context.Context, from, to string) (err error) {
	db, err := openExisting(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := makeDatabase(to); err != nil { // with the mode that it shall have
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copy database %s: %w", from, err)
	}
	return checkDatabase(ctx, to)
}

// addFiles describes the files that a copied database knows. One that is not where it should be is
// left out: the server says then that it is not there any more.
func (m *Manifest) addFiles(ctx context.Context, copied, filesAt string) (err error) {
	db, err := openExisting(copied)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT id, thumbnail FROM files WHERE state = ? ORDER BY id", string(files.Finished))
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, thumbnail string
		if err := rows.Scan(&id, &thumbnail); err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		names := []string{id}
		if thumbnail != "" {
			names = append(names, files.ThumbnailOf(id))
		}
		for _, name := range names {
			one, err := describe(filepath.Join(filesAt, files.KeptPath(name)))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			one.Name = filesPrefix + filepath.ToSlash(files.KeptPath(name))
			m.Files = append(m.Files, one)
		}
	}
	return rows.Err()
}

// openExisting opens a database that somebody else may have open too.
func openExisting(file string) (*sql.DB, error) {
	q := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// checkDatabase reads all of a database, and finds what does not fit together.
func checkDatabase(ctx context.Context, file string) (err error) {
	db, err := openExisting(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("check database %s: %w", file, err)
	}
	if found != "ok" {
		return fmt.Errorf("check database %s: %s", file, found)
	}
	return nil
}

func describe(file string) (b BackupFile, err error) {
	f, err := os.Open(file)
	if err != nil {
		return b, fmt.Errorf("read copy: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	if err != nil {
		return b, fmt.Errorf("read copy: %w", err)
	}
	return BackupFile{Name: filepath.Base(file), Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}

// writeArchive writes the manifest and what it names: the database, which is in folder, and people's files.
func writeArchive(file, folder, filesAt string, m Manifest) (err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	archive := tar.NewWriter(out)
	header := func(name string, size int64) error {
		return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: size, ModTime: m.MadeAt})
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := header(manifestFile, int64(len(text))); err != nil {
		return err
	}
	if _, err := archive.Write(text); err != nil {
		return err
	}
	for _, one := range m.Files {
		if err := header(one.Name, one.Bytes); err != nil {
			return err
		}
		from := filepath.Join(folder, one.Name)
		if path, of := strings.CutPrefix(one.Name, filesPrefix); of {
			from = filepath.Join(filesAt, filepath.FromSlash(path))
		}
		f, err := os.Open(from)
		if err != nil {
			return err
		}
		_, err = io.Copy(archive, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return out.Sync()
}

// syncFolder makes sure that a file which was renamed has its name after a loss of power.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", folder, err)
	}
	return nil
}
