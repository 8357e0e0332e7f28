package front

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"carillon/tcp"
)

// TestSilentConnectionsShutNobodyOut asks for pages while others hold as many connections as
// they can and say nothing. Whoever comes from other addresses than they do is served even
// while they connect without end.
func TestSilentConnectionsShutNobodyOut(t *testing.T) {
	limits := tcp.Config{Connections: 300, ConnectionsPerAddress: 200, Silent: 100, SilentPerAddress: 20}
	for name, c := range map[string]struct {
		addressOf func(n int) string
		endless   bool
	}{
		"from the address of the others": {addressOf: func(int) string { return "127.0.0.1" }},
		"from one address":               {addressOf: func(int) string { return "127.0.0.9" }, endless: true},
		"from many addresses":            {addressOf: func(n int) string { return fmt.Sprintf("127.0.1.%d", 1+n%20) }, endless: true},
	} {
		for scheme, secure := range map[string]*tls.Config{"http": nil, "https": certificate(t)} {
			t.Run(scheme+" "+name, func(t *testing.T) {
				address := openWithin(t, secure, limits)
				began, stop := make(chan struct{}), make(chan struct{})
				var silent sync.WaitGroup
				silent.Go(func() { connectSilently(t, address, c.addressOf, c.endless, began, stop) })
				defer silent.Wait()
				defer close(stop)
				<-began
				client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
					DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
				}}
				for n := range 100 {
					answer, err := client.Get(scheme + "://" + address)
					if err != nil {
						t.Fatalf("request %d: %v", n, err)
					}
					io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			})
		}
	}
}

// connectSilently opens connections that say nothing, many more than there may be, and holds
// the last ones. It tells when there are many, and returns when it is told to stop.
func connectSilently(t *testing.T, address string, addressOf func(n int) string, endless bool, began, stop chan struct{}) {
	const crowd = 1000
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for n := 0; ; n++ {
		if n == crowd {
			close(began)
			if !endless {
				<-stop
			}
		}
		select {
		case <-stop:
			return
		default:
		}
		conns = append(conns, connect(t, address, addressOf(n)))
		if n >= crowd {
			conns[0].Close()
			conns = conns[1:]
		}
	}
}

// connect opens a connection that says nothing.
func connect(t *testing.T, address, from string) net.Conn {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 20 * time.Second}
	c, err := d.Dial("tcp", address)
	if err != nil {
		t.Errorf("connect from %s: %v", from, err)
		return &net.TCPConn{} // closing it does no harm
	}
	return c
}
