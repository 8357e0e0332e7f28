package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"carillon/config"
)

// doctorCmd looks at the configuration, this machine, and the carillon that runs on it with
// the eyes of a caller.
type doctorCmd struct {
	serveCmd
	JSON bool `name:"json" help:"Print JSON."`
}

// status of a check.
type status string

const (
	statusOK      status = "ok"
	statusWarning status = "warning" // some callers suffer, or soon will
	statusProblem status = "problem" // calls fail; the exit status tells
	statusSkipped status = "skipped" // could not be checked, and why
)

// finding is what one check says, in words for who runs the server.
type finding struct {
	Check  string `json:"check"`
	Status status `json:"status"`
	Found  string `json:"found"`
	// Suffers is what callers notice. Empty when all is well.
	Suffers string `json:"callers_suffer,omitempty"`
	// Change is what to do about it.
	Change string `json:"change,omitempty"`
}

func ok(check, format string, args ...any) finding {
	return finding{Check: check, Status: statusOK, Found: fmt.Sprintf(format, args...)}
}

func skipped(check, format string, args ...any) finding {
	return finding{Check: check, Status: statusSkipped, Found: fmt.Sprintf(format, args...)}
}

// Run fails when there is a problem, not for warnings.
func (d doctorCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var all []finding
	c, err := d.load()
	if err != nil {
		all = []finding{{"configuration", statusProblem, err.Error(), "carillon does not start with it", "correct the line or the variable that is named"}}
	} else {
		d.override(&c)
		all = examine(ctx, c)
	}
	if d.JSON {
		err = printJSON(os.Stdout, all)
	} else {
		err = printText(os.Stdout, all)
	}
	if err != nil {
		return err
	}
	var problems int
	for _, f := range all {
		if f.Status == statusProblem {
			problems++
		}
	}
	switch problems {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("1 problem")
	}
	return fmt.Errorf("%d problems", problems)
}

// examine runs every check that this configuration and what runs allow.
func examine(ctx context.Context, c config.Config) []finding {
	clock := startClock()
	all := []finding{checkConfiguration(c)}
	folder, err := c.DataPath()
	if err != nil {
		return append(all, finding{"data", statusProblem, err.Error(), "carillon does not start", "set data"})
	}
	server, err := findRunning(folder)
	all = append(all, checkData(folder, server, err))
	all = append(all, checkListeners(c, server)...)
	all = append(all, checkAddresses(c, machineFacts()))
	all = append(all, checkCertificates(ctx, c, folder, server)...)
	var ahead *time.Duration
	if server == nil {
		all = append(all, skipped("calls", "no carillon runs with %s, so nobody could be called; start it and ask again", folder))
	} else {
		var found []finding
		found, ahead = checkCalls(ctx, c, folder, server)
		all = append(all, found...)
	}
	all = append(all, clock.check(ahead, c.Auth.LeewaySeconds)...)
	return append(all, checkBuffers(c.Media.UDP.BufferBytes), checkDescriptors(server))
}

func checkConfiguration(c config.Config) finding {
	if err := c.Validate(); err != nil {
		return finding{"configuration", statusProblem, err.Error(), "carillon does not start with it", "change the key that is named"}
	}
	how := "your backend signs tokens"
	if c.Auth.Demo() {
		how = "demo sign-in, which is possible on loopback only"
	}
	return ok("configuration", "valid; %s", how)
}

func printJSON(out io.Writer, all []finding) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{"version": version(), "findings": all})
}

func printText(out io.Writer, all []finding) error {
	for _, f := range all {
		if _, err := fmt.Fprintf(out, "%-8s %-14s %s\n", f.Status, f.Check, f.Found); err != nil {
			return err
		}
		for _, l := range []struct{ name, text string }{{"callers", f.Suffers}, {"change", f.Change}} {
			if l.text != "" {
				fmt.Fprintf(out, "%-23s %-8s %s\n", "", l.name+":", l.text)
			}
		}
	}
	return nil
}
