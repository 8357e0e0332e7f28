package tcp

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"carillon/tcp/tcptest"
)

// TestAcceptingSurvivesALackOfDescriptors runs a listener in a process that may have few
// files open, and connects until it has no descriptor left.
func TestAcceptingSurvivesALackOfDescriptors(t *testing.T) {
	const crowd = 3 * poor
	t.Run("the others are silent", func(t *testing.T) {
		address := startPoor(t)
		for range crowd {
			dial(t, address)
		}
		for range 10 {
			if c := dial(t, address); !echoes(c) {
				t.Error("a new connection is not served")
			}
		}
	})
	t.Run("the others have spoken", func(t *testing.T) {
		address := startPoor(t)
		var served []net.Conn
		for {
			c := dial(t, address)
			if !echoes(c) {
				break // no descriptor is left, and nobody is silent
			}
			if served = append(served, c); len(served) > poor {
				t.Fatalf("%d are served", len(served))
			}
		}
		for _, c := range served {
			if !echoes(c) {
				t.Error("one that was served lost its place")
			}
			c.Close()
		}
		for deadline := time.Now().Add(20 * time.Second); !echoes(dial(t, address)); {
			if time.Now().After(deadline) {
				t.Fatal("nobody is accepted although descriptors are free again")
			}
		}
	})
}

// dial connects; what the process does not accept the kernel does.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echoes returns whether a connection is served.
func echoes(c net.Conn) bool {
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write([]byte("hello")); err != nil {
		return false
	}
	b := make([]byte, 5)
	_, err := io.ReadFull(c, b)
	return err == nil && string(b) == "hello"
}

// poor is how many files the process may have open.
const poor = 40

// startPoor starts a process that echoes, and returns where it listens.
func startPoor(t *testing.T) string {
	t.Helper()
	_, out := tcptest.Child(t)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line[:len(line)-1]
}

// TestPoorProcess is the child of the test above; by itself it has nothing to show.
func TestPoorProcess(t *testing.T) {
	child, err := tcptest.InChild(poor)
	if !child {
		return
	}
	fail := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fail(err)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	l := NewLimiter(Config{}, "test", nil, slog.New(slog.DiscardHandler)).Listen(inner)
	fmt.Println(inner.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // until the parent has seen enough
		os.Exit(0)
	}()
	for {
		c, err := l.AcceptConn()
		fail(err)
		go func() {
			defer c.Close()
			b := make([]byte, 5)
			for {
				n, err := io.ReadFull(c, b)
				if err != nil {
					return
				}
				c.Spoke()
				c.Write(b[:n])
			}
		}()
	}
}
