package target

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Names of the built-in targets.
const (
	Carillon = "carillon"
	Pion     = "pion"
	Floor    = "floor"
)

// Ready is the first line that a target process prints.
type Ready struct {
	URL     string  `json:"url"`
	Private string  `json:"-"` // of a whole Carillon: where its metrics and profiles are
	Relays  []Relay `json:"relays,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// Process is a target that runs in a process of its own. It lives until Stop. A built-in target
// also ends with the process that started it, because its standard input ends then.
type Process struct {
	name  string
	PID   int
	Ready Ready
	Whole bool // it is a whole Carillon: it prints NAME URL, and has no control endpoints

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *lastOutput
	Exited chan struct{} // closed when it has ended; waited is set before
	waited error
	once   sync.Once
}

// Start runs a target on the given cores and waits until it is ready.
func Start(ctx context.Context, name string, command []string, cores []int) (*Process, error) {
	return (&Process{name: name, stderr: &lastOutput{}, Exited: make(chan struct{})}).start(ctx, command, cores)
}

func (p *Process) start(ctx context.Context, command []string, cores []int) (*Process, error) {
	name := p.name
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Stderr = p.stderr
	p.cmd.Env = os.Environ()
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must not end it before its figures are read
	if p.Whole && len(cores) == 0 {
		// It does not look at its standard input. The signal comes when the thread ends that started it, and
		// with cores there may be other threads that end.
		p.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if len(cores) > 0 {
		p.cmd.Env = append(p.cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", len(cores)))
	}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start target %s: %w", name, err)
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start target %s: %w", name, err)
	}
	if err := startOn(cores, p.cmd.Start); err != nil {
		return nil, fmt.Errorf("start target %s: %w", name, err)
	}
	p.PID = p.cmd.Process.Pid
	lines := make(chan Ready, 1)
	go func() {
		p.read(stdout, lines)
		p.waited = p.cmd.Wait()
		close(p.Exited)
	}()
	select {
	case p.Ready = <-lines:
		if p.Ready.Error == "" {
			return p, nil
		}
		err = fmt.Errorf("target %s: %s", name, p.Ready.Error)
	case <-p.Exited:
		err = fmt.Errorf("target %s ended before it was ready: %w", name, p.Died())
	case <-time.After(20 * time.Second):
		err = fmt.Errorf("target %s was not ready within 20 s%s", name, p.stderr.quoted())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.Stop()
	return nil, err
}

// read takes what the target prints until it is ready, and drains the rest.
func (p *Process) read(stdout io.Reader, lines chan<- Ready) {
	r := bufio.NewReader(stdout)
	defer func() { _, _ = io.Copy(io.Discard, r) }()
	var ready Ready
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		name, url, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case !p.Whole:
			if err := json.Unmarshal([]byte(line), &ready); err != nil {
				ready.Error = fmt.Sprintf("its first line makes no sense: %.100q", line)
			}
			lines <- ready
			return
		case name == "http" || name == "https":
			ready.URL = url
		case name == "private":
			ready.Private = url
		case name == "ready":
			lines <- ready
			return
		}
	}
}

// Died says how the process ended; nil while it lives.
func (p *Process) Died() error {
	select {
	case <-p.Exited:
	default:
		return nil
	}
	if p.waited == nil {
		return errors.New("it exited" + p.stderr.quoted())
	}
	return fmt.Errorf("%w%s", p.waited, p.stderr.quoted())
}

// Stop asks it to end by closing its input, and insists after two seconds.
func (p *Process) Stop() {
	p.once.Do(func() {
		_ = p.stdin.Close()
		if p.Whole {
			_ = p.cmd.Process.Signal(syscall.SIGTERM)
		}
		select {
		case <-p.Exited:
		case <-time.After(2 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.Exited
		}
	})
}

// kill ends it without a word.
func (p *Process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		<-p.Exited
	})
}

// Runtime reads what a built-in target counts itself.
func (p *Process) Runtime(ctx context.Context) (r Runtime, err error) {
	err = p.call(ctx, http.MethodGet, "/runtime", nil, &r)
	return r, err
}

// Floor tells a floor target how to send. It returns where the publisher sends to.
func (p *Process) Floor(ctx context.Context, o FloorOrder) (netip.AddrPort, error) {
	var place floorAddress
	err := p.call(ctx, http.MethodPost, "/floor", o, &place)
	return place.Address, err
}

// call sends JSON to a control endpoint of the target and reads its answer.
func (p *Process) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, p.Ready.URL+path, body)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("target %s: %w", p.name, err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 300))
		return fmt.Errorf("target %s: %s %s: %s: %s", p.name, method, path, res.Status, bytes.TrimSpace(text))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(out); err != nil {
		return fmt.Errorf("target %s: %s: %w", p.name, path, err)
	}
	return nil
}

// lastOutput keeps the end of what a target wrote to its standard error.
type lastOutput struct {
	mu   sync.Mutex
	text []byte
}

func (t *lastOutput) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - 2000; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *lastOutput) quoted() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	if text == "" {
		return ""
	}
	return "; it said last:\n" + text
}
