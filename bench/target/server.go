package target

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carillon/client"
)

// Server is a whole Carillon, in a process of its own, with a data folder that begins empty. It
// may be killed and started again, until Close.
type Server struct {
	Process *Process // the one that runs, or that ran last

	// Fixed at construction.
	folder  string
	command []string // all but the addresses
	cores   []int
}

// ForManyUsersOfOneAddress is a configuration that raises the limits per address, since all users
// of a measurement may have one, and those of who calls the same user all the time.
const ForManyUsersOfOneAddress = `log = "error"
[reach]
known = ["*"]
[chat.rates]
user_bytes = 1000000000
address_bytes = 1000000000
user_groups = 1000000
user_members = 100000000
address_groups = 1000000
address_members = 100000000
[signaling.rates]
frames = 100000
user_requests = 100000
address_requests = 100000
requests = 100000
user_hellos = 100000
hellos = 100000
[call]
rings_per_minute = 100000
address_rings_per_minute = 100000
rings_per_pair = 100000
`

// StartServer runs command, which is that of carillon serve, with the text of a configuration file, on
// the given cores.
func StartServer(ctx context.Context, command []string, cores []int, config string) (*Server, error) {
	folder, err := os.MkdirTemp("", "carillon-bench-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "carillon.toml")
	s := &Server{folder: folder, cores: cores, command: append(slices.Clone(command), "--config", file, "--data", filepath.Join(folder, "data"))}
	if err = os.WriteFile(file, []byte(config), 0o600); err == nil {
		err = s.start(ctx, "127.0.0.1:0")
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, listen string) error {
	command := append(slices.Clone(s.command), "--listen", listen)
	for _, flag := range []string{"--media", "--turn", "--private"} {
		command = append(command, flag, "127.0.0.1:0")
	}
	p := &Process{name: Carillon, Whole: true, stderr: &lastOutput{}, Exited: make(chan struct{})}
	started, err := p.start(ctx, command, s.cores)
	if err == nil {
		s.Process = started
	}
	return err
}

// Kill ends the process at once, as a crash would.
func (s *Server) Kill() { s.Process.kill() }

// Restart starts a server that was killed again, at the same address and with the same data.
func (s *Server) Restart(ctx context.Context) error {
	return s.start(ctx, strings.TrimPrefix(s.Process.Ready.URL, "http://"))
}

// Close ends the process and removes its folder.
func (s *Server) Close() error {
	if s.Process != nil {
		s.Process.Stop()
	}
	return os.RemoveAll(s.folder)
}

// Tab opens one tab of a user, which tells what it gets as listen says.
func (s *Server) Tab(ctx context.Context, user string, listen client.Options) (*client.Client, error) {
	token, err := s.token(ctx, user)
	if err != nil {
		return nil, err
	}
	listen.URL = "ws" + strings.TrimPrefix(s.Process.Ready.URL, "http") + "/ws"
	listen.Token = func(context.Context) (string, error) { return token, nil }
	t, err := client.Dial(ctx, listen)
	if err != nil {
		return nil, fmt.Errorf("tab of %s: %w", user, err)
	}
	return t, nil
}

func (s *Server) token(ctx context.Context, user string) (string, error) {
	body, err := json.Marshal(map[string]string{"user": user})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Process.Ready.URL+"/demo/token", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("sign in as %s: %w", user, err)
	}
	defer res.Body.Close()
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("sign in as %s: the server answers %s", user, res.Status)
	}
	return answer.Token, nil
}
