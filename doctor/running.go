package doctor

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// runningFile in the data folder holds what a serving carillon printed when it was ready,
// so that doctor finds it, whatever flags and port 0 have made of the configuration. It
// means something only while the folder is locked.
const runningFile = "running"

// NoteRunning writes what a server has printed into its data folder, which it has locked.
func NoteRunning(folder string, lines []byte) error {
	text := append(fmt.Appendf(nil, "pid %d\n", os.Getpid()), lines...)
	if err := os.WriteFile(filepath.Join(folder, runningFile), text, 0o600); err != nil {
		return fmt.Errorf("note what is running: %w", err)
	}
	return nil
}

// running is a carillon that serves from a data folder.
type running struct {
	pid   int
	lines []announced
}

// announced is one line NAME URL of what a server prints.
type announced struct{ name, url string }

// findRunning is nil when no carillon serves from this folder.
func findRunning(folder string) (*running, error) {
	inUse, err := locked(filepath.Join(folder, "lock"))
	if err != nil || !inUse {
		return nil, err
	}
	text, err := readFile(filepath.Join(folder, runningFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.HasSuffix(text, []byte("\nready\n")) {
		return nil, errors.New("a carillon that uses this folder is still starting")
	}
	if err != nil {
		return nil, err
	}
	r := &running{}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		if name, url, ok := strings.Cut(s.Text(), " "); ok {
			r.lines = append(r.lines, announced{name, url})
		}
	}
	r.pid, _ = strconv.Atoi(r.url("pid"))
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", r.pid)); err != nil {
		return nil, errors.New("a carillon that uses this folder is still starting")
	}
	return r, nil
}

// PrivateURL is where this machine reaches the private listener of the carillon that serves from a
// data folder.
func PrivateURL(folder string) (*url.URL, error) {
	server, err := findRunning(folder)
	if err != nil {
		return nil, err
	}
	if server == nil {
		return nil, fmt.Errorf("no carillon runs with the data folder %s", folder)
	}
	at, err := url.Parse(server.url("private"))
	if err != nil {
		return nil, fmt.Errorf("find the private listener: %w", err)
	}
	address, err := netip.ParseAddrPort(at.Host)
	if err != nil {
		return nil, fmt.Errorf("find the private listener: %w", err)
	}
	at.Host = reachable(address).String()
	return at, nil
}

// locked takes the lock and gives it back at once. A carillon that starts in that very moment
// finds the folder in use.
func locked(file string) (bool, error) {
	f, err := openFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close() // gives the lock back
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// maxNote is far more than a server prints.
const maxNote = 64 << 10

func readFile(name string) ([]byte, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxNote))
}

// openFile opens a regular file. It does not wait for the other end of a pipe in its place.
func openFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return f, nil
}

// url of the first line with this name, or "".
func (r *running) url(name string) string {
	for _, l := range r.lines {
		if l.name == name {
			return l.url
		}
	}
	return ""
}

// urls of all lines whose names have this prefix.
func (r *running) urls(prefix string) (list []string) {
	for _, l := range r.lines {
		if strings.HasPrefix(l.name, prefix) {
			list = append(list, l.url)
		}
	}
	return list
}

// site is where this machine reaches HTTP.
func (r *running) site() (scheme string, address netip.AddrPort) {
	for _, scheme := range []string{"https", "http"} {
		if text, ok := strings.CutPrefix(r.url(scheme), scheme+"://"); ok {
			if a, err := netip.ParseAddrPort(text); err == nil {
				return scheme, reachable(a)
			}
		}
	}
	return "", netip.AddrPort{}
}

// serves reports whether a line with this name has this port.
func (r *running) serves(name string, port uint16) bool {
	for _, l := range r.lines {
		if l.name == name && portOf(l.url) == port {
			return true
		}
	}
	return false
}

// portOf a URL as we print them: http://HOST:PORT, udp://HOST:PORT, turn:HOST:PORT?transport=udp.
func portOf(url string) uint16 {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(hostPort(url), "//"))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(port, 10, 16)
	return uint16(n)
}
