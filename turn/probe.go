package turn

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v3"
)

// Probe is one test of a TURN server, from outside, as a client sees it.
type Probe struct {
	URL                string // turn:HOST:PORT?transport=udp|tcp or turns:HOST:PORT
	Username, Password string
	Insecure           bool          // do not verify the certificate
	Packets            int           // zero: 100
	Interval           time.Duration // zero: 20 ms
}

// ProbeResult is what a Probe measured. Packets went from one relay to the other and back.
type ProbeResult struct {
	Relays         [2]net.Addr
	Opening        time.Duration // from dialling to the first relay
	Sent, Received int
	Median, Worst  time.Duration // round trip
	Jitter         time.Duration // mean difference of neighbouring round trips
}

const (
	probeSize = 200
	// probeGrace is how long after the last packet an answer still counts.
	probeGrace = time.Second
)

// Run opens two relays and sends packets from one to the other, which sends them back.
func (p Probe) Run(ctx context.Context) (ProbeResult, error) {
	var result ProbeResult
	started := time.Now()
	near, closeNear, err := p.Open(ctx)
	if err != nil {
		return result, err
	}
	defer closeNear()
	result.Opening = time.Since(started)
	far, closeFar, err := p.Open(ctx)
	if err != nil {
		return result, err
	}
	defer closeFar()
	result.Relays = [2]net.Addr{near.LocalAddr(), far.LocalAddr()}

	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		b := make([]byte, 2*probeSize)
		for {
			n, from, err := far.ReadFrom(b)
			if err != nil {
				return
			}
			if _, err := far.WriteTo(b[:n], from); err != nil {
				return
			}
		}
	}()
	defer func() { <-echoed }()
	defer far.Close()
	// The far relay's first packet opens its permission for the near one.
	if _, err := far.WriteTo([]byte("hello"), near.LocalAddr()); err != nil {
		return result, fmt.Errorf("permit the other relay: %w", err)
	}
	trips, sent, err := p.trips(ctx, near, far.LocalAddr())
	result.Sent, result.Received = sent, len(trips)
	if len(trips) > 0 {
		var sum time.Duration
		for i := range trips[1:] {
			sum += (trips[i+1] - trips[i]).Abs()
		}
		result.Jitter = sum / time.Duration(max(1, len(trips)-1))
		slices.Sort(trips)
		result.Median, result.Worst = trips[len(trips)/2], trips[len(trips)-1]
	}
	return result, err
}

// trips measures round trips in the order of arrival.
func (p Probe) trips(ctx context.Context, near net.PacketConn, to net.Addr) (trips []time.Duration, sent int, err error) {
	packets, interval := p.Packets, p.Interval
	if packets == 0 {
		packets = 100
	}
	if interval == 0 {
		interval = 20 * time.Millisecond
	}
	started := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2*probeSize)
		for len(trips) < packets {
			n, _, err := near.ReadFrom(b)
			if err != nil {
				return
			}
			if n == probeSize {
				trips = append(trips, time.Since(started)-time.Duration(binary.BigEndian.Uint64(b)))
			}
		}
	}()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	b := make([]byte, probeSize)
	for sent < packets && err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-tick.C:
			binary.BigEndian.PutUint64(b, uint64(time.Since(started)))
			if _, err = near.WriteTo(b, to); err == nil {
				sent++
			}
		}
	}
	near.SetReadDeadline(time.Now().Add(probeGrace))
	<-done
	return trips, sent, err
}

// Open dials the server and opens one relay. It receives from those it has sent to.
func (p Probe) Open(ctx context.Context) (relay net.PacketConn, closeAll func(), err error) {
	scheme, address, transport, err := parseURL(p.URL)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := p.dial(ctx, scheme, address, transport)
	if err != nil {
		return nil, nil, fmt.Errorf("reach %s: %w", p.URL, err)
	}
	// The library has time limits of its own, which add up.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn, Username: p.Username, Password: p.Password,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err == nil {
		err = c.Listen()
	}
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("reach %s: %w", p.URL, err)
	}
	if relay, err = c.Allocate(); err != nil {
		c.Close()
		conn.Close()
		return nil, nil, fmt.Errorf("open a relay at %s: %w", p.URL, err)
	}
	return relay, func() { relay.Close(); c.Close(); conn.Close() }, nil
}

func (p Probe) dial(ctx context.Context, scheme, address, transport string) (net.PacketConn, error) {
	var dialer net.Dialer
	switch {
	case scheme == "turns":
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: p.Insecure}}
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return pion.NewSTUNConn(conn), nil
	case transport == "tcp":
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return pion.NewSTUNConn(conn), nil
	}
	// An unconnected socket, since the library names the server in every write.
	return net.ListenPacket("udp", ":0")
}

var errURL = errors.New("want turn:HOST:PORT, turn:HOST:PORT?transport=tcp or turns:HOST:PORT")

func parseURL(text string) (scheme, address, transport string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "turn" && u.Scheme != "turns" || u.Opaque == "" {
		return "", "", "", fmt.Errorf("%q: %w", text, errURL)
	}
	transport = u.Query().Get("transport")
	if transport == "" {
		transport = map[string]string{"turn": "udp", "turns": "tcp"}[u.Scheme]
	}
	address = u.Opaque
	if _, _, err := net.SplitHostPort(address); err != nil {
		port := map[string]string{"turn": "3478", "turns": "5349"}[u.Scheme]
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	}
	if transport != "tcp" && (transport != "udp" || u.Scheme == "turns") {
		return "", "", "", fmt.Errorf("%q: %w", text, errURL)
	}
	return u.Scheme, address, transport, nil
}

// Transports turns a URL that leaves the transport open into one per transport.
func Transports(text string) []string {
	if strings.HasPrefix(text, "turn:") && !strings.Contains(text, "?") {
		return []string{text + "?transport=udp", text + "?transport=tcp"}
	}
	return []string{text}
}
