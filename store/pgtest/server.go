package pgtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options of a server.
type Options struct {
	Durable  bool     // syncs to disk, as in production; tests need it only where they measure
	Settings []string // more of them, as name=value
	TLS      *TLS     // it also listens on 127.0.0.1; nil: on its socket only
}

// TLS is how a server is reached on 127.0.0.1: with TLS and the password, and not without.
type TLS struct {
	Certificate tls.Certificate
	Password    string
}

// Server is one PostgreSQL. It can be stopped and started again with what it holds.
type Server struct {
	folder  string
	program string // the folder of initdb and postgres
	as      *syscall.Credential
	options Options
	port    string // of its socket, and of 127.0.0.1 with TLS
	running *exec.Cmd
}

// startTime is how long a server may take until it answers.
const startTime = 30 * time.Second

// Start makes a server in a new temporary folder and waits until it answers.
func Start(o Options) (_ *Server, err error) {
	s := &Server{options: o, port: "5432"}
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
	if o.TLS != nil {
		if err := s.secure(*o.TLS); err != nil {
			return nil, err
		}
	}
	if err := s.Resume(); err != nil {
		return nil, err
	}
	if o.TLS != nil {
		if err := s.exec(context.Background(), "ALTER USER carillon PASSWORD '"+strings.ReplaceAll(o.TLS.Password, "'", "''")+"'"); err != nil {
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// secure writes what the server needs to listen with TLS.
func (s *Server) secure(t TLS) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, s.port, _ = net.SplitHostPort(free.Addr().String())
	if err := free.Close(); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(t.Certificate.PrivateKey)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"cert.pem":    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.Certificate.Certificate[0]}),
		"key.pem":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"pg_hba.conf": []byte("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"),
	} {
		file := filepath.Join(s.data(), name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		if s.as != nil {
			if err := os.Chown(file, int(s.as.Uid), int(s.as.Gid)); err != nil {
				return err
			}
		}
	}
	return nil
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
	u := url.URL{Scheme: "postgres", User: url.User("carillon"), Path: "/" + database, RawQuery: url.Values{"host": {s.folder}, "port": {s.port}}.Encode()}
	return u.String()
}

// Port is where the server listens on 127.0.0.1, with [Options].TLS.
func (s *Server) Port() string { return s.port }

// Resume starts the server after Stop or Kill, and waits until it answers.
func (s *Server) Resume() error {
	args := []string{"-D", s.data()}
	set := append([]string{
		"listen_addresses=", "unix_socket_directories=" + s.folder, "max_connections=200", "shared_buffers=64MB", "log_min_messages=fatal", "port=" + s.port,
	}, s.options.Settings...)
	if s.options.TLS != nil {
		set = append(set, "listen_addresses=127.0.0.1", "ssl=on", "ssl_cert_file=cert.pem", "ssl_key_file=key.pem")
	}
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
