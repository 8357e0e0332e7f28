package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options of a server.
type Options struct {
	Durable  bool     // syncs to disk, as in production; tests need it only where they measure
	Settings []string // more of them, as name=value
}

// Server is one PostgreSQL. It can be stopped and started again with what it holds.
type Server struct {
	folder  string
	program string // the folder of initdb and postgres
	as      *syscall.Credential
	options Options
	running *exec.Cmd
}

// startTime is how long a server may take until it answers.
const startTime = 30 * time.Second

// Start makes a server in a new temporary folder and waits until it answers.
func Start(o Options) (_ *Server, err error) {
	s := &Server{options: o}
	if s.program, err = programs(); err != nil {
		return nil, err
	}
	if s.folder, err = os.MkdirTemp("", "carillon-pg"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.folder))
		}
	}()
	if err := s.own(); err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(s.program, "initdb"), "--pgdata", s.data(), "--no-sync", "--locale=C", "--encoding=UTF8", "--auth=trust", "--username=carillon")
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	initdb.Dir = s.folder
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.Resume()
}

// own gives the folder to another user when we are root, whom PostgreSQL refuses to serve.
func (s *Server) own() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.folder, int(uid), int(gid))
}

// programs is the folder of the newest installed version.
func programs() (string, error) {
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(all) == 0 {
		return "", errors.New("PostgreSQL is not installed: sudo apt-get install postgresql")
	}
	return filepath.Dir(all[len(all)-1]), nil
}

// Programs is the folder of pg_dump and the others.
func Programs(t testing.TB) string {
	t.Helper()
	folder, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// URL is where a database of the server is.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("carillon"), Path: "/" + database, RawQuery: url.Values{"host": {s.folder}}.Encode()}
	return u.String()
}

// Resume starts the server after Stop or Kill, and waits until it answers.
func (s *Server) Resume() error {
	args := []string{"-D", s.data()}
	set := append([]string{
		"listen_addresses=", "unix_socket_directories=" + s.folder, "max_connections=200", "shared_buffers=64MB", "log_min_messages=fatal",
	}, s.options.Settings...)
	if !s.options.Durable {
		set = append(set, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	for _, one := range set {
		args = append(args, "-c", one)
	}
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	s.running = exec.Command(filepath.Join(s.program, "postgres"), args...)
	s.running.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	endWithTests(s.running.SysProcAttr)
	s.running.Dir, s.running.Stdout, s.running.Stderr = s.folder, log, log
	if err := s.running.Start(); err != nil {
		return err
	}
	if err := s.untilReady(); err != nil {
		s.Kill()
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}

func (s *Server) untilReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		}
	}
}

// Halt ends the server at once and in order: connections break, and what was committed is there
// when it resumes.
func (s *Server) Halt() { s.end(syscall.SIGINT) }

// Kill ends the server as a crash would.
func (s *Server) Kill() { s.end(syscall.SIGQUIT) }

func (s *Server) end(sig syscall.Signal) {
	if s.running == nil {
		return
	}
	_ = s.running.Process.Signal(sig)
	_ = s.running.Wait() // it was told to end, so its exit code says nothing
	s.running = nil
}

// Stop ends the server and removes all that it held.
func (s *Server) Stop() {
	s.Halt()
	_ = os.RemoveAll(s.folder)
}
