package tcptest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

// Addresses are given from below the ports that systems choose by themselves (32768 and more on
// Linux, 49152 and more elsewhere): the port of a program that ends and starts again is not taken
// meanwhile.
const firstPort, ports = 10_000, 22_000

var next atomic.Uint32

func init() { next.Store(rand.Uint32N(ports)) } // tests of several packages run at once

// Address is an address on loopback, for a program that cannot be told to find one itself or that
// keeps its own when it starts again. Nobody listens there now, and this process gives it once.
func Address(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+next.Add(1)%ports)
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}
