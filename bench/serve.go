package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"carillon/chat"
	"carillon/client"
)

// carillon is a whole server of ours with an empty data folder, in a process of its own.
type carillon struct {
	process *process
	folder  string
}

// serveConfig lifts the limits that hold one address back: all of our users have one.
const serveConfig = `log = "error"
[signaling.rates]
frames = 100000
user_requests = 100000
address_requests = 100000
requests = 100000
user_hellos = 100000
address_hellos = 100000
hellos = 100000
`

func (r *runner) serve(ctx context.Context) (*carillon, error) {
	folder, err := os.MkdirTemp("", "carillon-bench-")
	if err != nil {
		return nil, err
	}
	c := &carillon{folder: folder}
	config := filepath.Join(folder, "carillon.toml")
	if err := os.WriteFile(config, []byte(serveConfig), 0o600); err != nil {
		return nil, errors.Join(err, c.close())
	}
	command := append(append([]string(nil), r.options.Serve...), "--config", config, "--data", filepath.Join(folder, "data"))
	for _, flag := range []string{"--listen", "--media", "--turn", "--private"} {
		command = append(command, flag, "127.0.0.1:0")
	}
	p := &process{name: TargetCarillon, plain: true, stderr: &tail{}, exited: make(chan struct{})}
	if c.process, err = p.start(ctx, command, r.pin.server); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *carillon) close() error {
	if c.process != nil {
		c.process.stop()
	}
	return os.RemoveAll(c.folder)
}

// tab opens one tab of a user.
func (c *carillon) tab(ctx context.Context, user string, event func(chat.Event)) (*client.Client, error) {
	token, err := c.token(ctx, user)
	if err != nil {
		return nil, err
	}
	t, err := client.Dial(ctx, client.Options{
		URL: "ws" + strings.TrimPrefix(c.process.ready.URL, "http") + "/ws", Event: event,
		Token: func(context.Context) (string, error) { return token, nil },
	})
	if err != nil {
		return nil, fmt.Errorf("tab of %s: %w", user, err)
	}
	return t, nil
}

func (c *carillon) token(ctx context.Context, user string) (string, error) {
	body, err := json.Marshal(map[string]string{"user": user})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.process.ready.URL+"/demo/token", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := signalClient.Do(req)
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
