package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"carillon/config"
	"carillon/store"
)

// backupCmd writes what a server has stored to one file, while it serves.
type backupCmd struct {
	setup
	File string `arg:"" name:"file" placeholder:"FILE" help:"Where to write the backup; what is there is replaced."`
}

// Help follows the summary in carillon backup --help.
func (backupCmd) Help() string {
	return `It writes one tar archive, checked, with all that is stored at one moment. The server serves on and
waits for nothing. Secrets are not in it: keep the *.secret files of the data folder elsewhere.
Give it the same --config, --data and environment as the server, and run it as the same user.`
}

// Run needs no running server.
func (b backupCmd) Run(ctx context.Context) error {
	c, err := b.load()
	if err != nil {
		return err
	}
	if c.Store.URL != "" {
		return onPostgres(c.Store.URL, "back it up", "pg_dump --format=custom --file="+b.File+" "+shown(c.Store.URL))
	}
	folder, err := c.DataPath()
	if err != nil {
		return err
	}
	at := placeOfFiles(c, folder)
	place := at.Place()
	if at.S3.Bucket != "" {
		place = ""
	}
	m, err := store.Backup(ctx, folder, place, b.File, version())
	if err != nil {
		return err
	}
	fmt.Printf("%s holds the database of %s and %d files as of now, %s\n", b.File, folder, len(m.Files)-1, megabytes(m))
	if place == "" {
		fmt.Printf("what people have sent is in the bucket %s: back that up after this\n", at.S3.Bucket)
	}
	return nil
}

// restoreCmd puts a backup into a data folder.
type restoreCmd struct {
	setup
	File  string `arg:"" name:"file" placeholder:"FILE" help:"A backup."`
	Force bool   `help:"Put the database that is there aside, as carillon.db.old."`
}

// Help follows the summary in carillon restore --help.
func (restoreCmd) Help() string {
	return `It checks the backup and puts it into the data folder, which no server may use meanwhile. Tabs that
had seen more than the backup holds load everything anew when they come back. Put the *.secret files
of the old folder beside it, or guests become strangers and demo users sign in again.`
}

// Run refuses a folder that is in use.
func (r restoreCmd) Run(ctx context.Context) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	if c.Store.URL != "" {
		return onPostgres(c.Store.URL, "stop all nodes, then restore it",
			"pg_restore --clean --if-exists --no-owner --exit-on-error --single-transaction --dbname="+shown(c.Store.URL)+" "+r.File,
			"psql --command='DELETE FROM openings' "+shown(c.Store.URL))
	}
	log, err := newLogger(c)
	if err != nil {
		return err
	}
	folder, err := c.DataPath()
	if err != nil {
		return err
	}
	m, err := store.Restore(ctx, r.File, folder, placeOfFiles(c, folder).Place(), r.Force, log)
	if err != nil {
		return err
	}
	fmt.Printf("%s has the database and %d files of %s, %s, made by carillon %s\n", folder, len(m.Files)-1, m.MadeAt.Format("2006-01-02 15:04:05 MST"), megabytes(m), m.Version)
	if missing := missingSecrets(c, folder); missing != "" {
		fmt.Printf("%s is not there: put it there before the start, or a new one is made\n", missing)
	}
	return nil
}

func missingSecrets(c config.Config, folder string) string {
	file := filepath.Join(folder, "auth.secret")
	if _, err := os.Stat(file); err != nil && c.Auth.Secret == "" && (c.Auth.Demo() || c.Auth.Guests) {
		return file
	}
	return ""
}

func megabytes(m store.Manifest) string {
	var bytes int64
	for _, f := range m.Files {
		bytes += f.Bytes
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// onPostgres says with what to do it there.
func onPostgres(url, what string, commands ...string) error {
	text := "the database is PostgreSQL: " + what + " with its own programs"
	if _, password := passwordOf(url); password {
		text += ", with the password in PGPASSWORD"
	}
	text += ":"
	for _, c := range commands {
		text += "\n  " + c
	}
	return errors.New(text)
}

// shown is a URL for a command line, on which a password would be seen by everyone.
func shown(raw string) string {
	u, _ := passwordOf(raw)
	return "'" + u + "'"
}

func passwordOf(raw string) (without string, has bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return "$CARILLON_STORE_URL", false
	}
	if _, has = u.User.Password(); has {
		u.User = url.User(u.User.Username())
	}
	return u.String(), has
}
