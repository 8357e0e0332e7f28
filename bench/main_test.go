package bench

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"carillon/bench/target"
)

// TestMain lets the test binary be a target process, as the real binary is.
func TestMain(m *testing.M) {
	if kind := os.Getenv("BENCH_TEST_TARGET"); kind != "" {
		if kind == "argument" {
			kind = os.Args[len(os.Args)-1]
		}
		if kind == "nonsense" {
			fmt.Println("hello, I am no target")
			return
		}
		if err := target.Serve(kind, os.Stdin, os.Stdout, slog.New(slog.DiscardHandler)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

// testRunner is a runner that starts targets from the test binary.
func testRunner(t *testing.T, o Options) *runner {
	t.Helper()
	t.Setenv("BENCH_TEST_TARGET", "argument")
	o.Command, o.Pin = []string{os.Args[0]}, "none"
	r, err := newRunner(o)
	if err != nil {
		t.Fatal(err)
	}
	r.steps = newSteps(nil)
	stop := r.netem.Start()
	t.Cleanup(stop)
	return r
}

const shortWindow = 200 * time.Millisecond
