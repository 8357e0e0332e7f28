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

// Server is a whole Carillon with an empty data folder, in a process of its own.
type Server struct {
	Process *Process
	folder  string
}

// serveConfig raises the limits per address, since all users of a measurement have one, and
// those of who calls the same user all the time.
const serveConfig = `log = "error"
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

// StartServer runs command, which is that of carillon serve, on the given cores.
func StartServer(ctx context.Context, command []string, cores []int) (*Server, error) {
	folder, err := os.MkdirTemp("", "carillon-bench-")
	if err != nil {
		return nil, err
	}
	c := &Server{folder: folder}
	config := filepath.Join(folder, "carillon.toml")
	if err := os.WriteFile(config, []byte(serveConfig), 0o600); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	command = append(slices.Clone(command), "--config", config, "--data", filepath.Join(folder, "data"))
	for _, flag := range []string{"--listen", "--media", "--turn", "--private"} {
		command = append(command, flag, "127.0.0.1:0")
	}
	p := &Process{name: Carillon, Whole: true, stderr: &lastOutput{}, Exited: make(chan struct{})}
	if c.Process, err = p.start(ctx, command, cores); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
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
