package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"carillon/api"
	"carillon/doctor"
)

// healthCmd is a health check for where there is no shell: the exit status says it all.
type healthCmd struct {
	setup
	URL string `name:"url" placeholder:"URL" help:"Ask this server instead of the one that runs with the data folder, such as https://calls.example.com."`
}

// Help follows the summary in carillon health --help.
func (healthCmd) Help() string {
	return `It asks /readyz on the private listener of the server that runs with the same data folder, and
exits with 0 if load balancers may send tabs there, else with 1 and one line that says why. Give it
the same --config, --data and environment as the server, and run it as the same user.`
}

// healthTime is how long all of it may take. Whoever runs a health check gives it some seconds.
const healthTime = 5 * time.Second

// Run fails when the server is not ready.
func (h healthCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	at, err := h.server()
	if err != nil {
		return err
	}
	c, err := ask(ctx, at.JoinPath("readyz").String())
	switch {
	case err != nil:
		return err
	case !c.Ready:
		return fmt.Errorf("not ready: %s", c.Reason())
	}
	line := "ready"
	if reason := c.Reason(); reason != "" {
		line += ", but " + reason
	}
	_, err = fmt.Fprintln(os.Stdout, line)
	return err
}

// server is where to ask.
func (h healthCmd) server() (*url.URL, error) {
	if h.URL != "" {
		at, err := url.Parse(h.URL)
		if err != nil || at.Host == "" {
			return nil, fmt.Errorf("--url: %q is not such as https://calls.example.com", h.URL)
		}
		return at, nil
	}
	c, err := h.load()
	if err != nil {
		return nil, err
	}
	folder, err := c.DataPath()
	if err != nil {
		return nil, err
	}
	return doctor.PrivateURL(folder)
}

func ask(ctx context.Context, url string) (c api.Condition, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return c, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return c, fmt.Errorf("it does not answer: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return c, fmt.Errorf("it does not answer: %w", err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("what answers at %s is no carillon: %s", url, answer.Status)
	}
	return c, nil
}
