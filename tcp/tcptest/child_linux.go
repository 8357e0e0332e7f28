// Package tcptest is what tests of several packages need of TCP: addresses, and a process of its
// own for a test that may have few files open, so that it can run out of them and harm nobody else.
package tcptest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// variable is set in the environment of a child.
const variable = "TCPTEST_POOR_PROCESS"

// Child runs the test named TestPoorProcess of the package under test in a child process, with
// its standard input and output. The child has to end with its input, which ends with t.
func Child(t testing.TB) (in io.Writer, out *bufio.Reader) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestPoorProcess$")
	child.Env = append(os.Environ(), variable+"=yes")
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); child.Wait() })
	return stdin, bufio.NewReader(stdout)
}

// InChild reports whether this process is a child. It may have so many files open then.
func InChild(files uint64) (bool, error) {
	if os.Getenv(variable) == "" {
		return false, nil
	}
	return true, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files})
}
