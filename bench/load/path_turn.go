package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/turn/v5"
)

// TURNServer is a TURN server and a credential for it.
type TURNServer struct {
	URL        string // turn:host:port?transport=udp
	Username   string
	Credential string
}

// TURN sends through a relay of each peer's own. The client is pion's, which costs the
// generator more than the direct paths do, and so limits the number of peers.
type TURN struct{ Server TURNServer }

func (v TURN) String() string                     { return v.Server.URL }
func (v TURN) choose(all []candidate) []candidate { return inOrder(all, false) }

func (v TURN) open(ctx context.Context, s *sockets, server netip.AddrPort, r receiver) (transport, error) {
	conn, address, err := v.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("turn server %s: %w", v.Server.URL, err)
	}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: address, TURNServerAddr: address, Conn: conn,
		Username: v.Server.Username, Password: v.Server.Credential, RTO: 200 * time.Millisecond,
		RequestedAddressFamily: familyOf(server.Addr()),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("turn client: %w", err), conn.Close())
	}
	m := s.newMeter()
	t := &turnTransport{conn: conn, counted: m, client: client, to: net.UDPAddrFromAddrPort(server)}
	if err := t.allocate(); err != nil {
		client.Close()
		return nil, errors.Join(fmt.Errorf("turn server %s: %w", v.Server.URL, err), conn.Close())
	}
	t.shaped = s.netem.outbound(t.write)
	receive := s.netem.inbound(m, r)
	t.wg.Go(func() { t.readLoop(m, receive) })
	return t, nil
}

func (v TURN) dial(ctx context.Context) (net.PacketConn, string, error) {
	scheme, rest, _ := strings.Cut(v.Server.URL, ":")
	address, query, _ := strings.Cut(rest, "?")
	if _, _, err := net.SplitHostPort(address); err != nil {
		port := "3478"
		if scheme == "turns" {
			port = "5349"
		}
		address = net.JoinHostPort(strings.Trim(address, "[]"), port)
	}
	switch {
	case scheme == "turns":
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the media inside has keys of its own
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, "", err
		}
		return turn.NewSTUNConn(conn), address, nil
	case query == "transport=tcp":
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, "", err
		}
		return turn.NewSTUNConn(conn), address, nil
	}
	conn, err := net.ListenPacket("udp", ":0")
	if err == nil {
		err = conn.(*net.UDPConn).SetReadBuffer(1 << 20)
	}
	return conn, address, err
}

func familyOf(a netip.Addr) turn.RequestedAddressFamily {
	if a.Is4() {
		return turn.RequestedAddressFamilyIPv4
	}
	return turn.RequestedAddressFamilyIPv6
}

type turnTransport struct {
	conn    net.PacketConn
	client  *turn.Client
	relay   net.PacketConn
	counted *meter
	to      net.Addr
	shaped  func([]byte)
	wg      sync.WaitGroup
}

func (t *turnTransport) allocate() (err error) {
	if err = t.client.Listen(); err != nil {
		return err
	}
	if t.relay, err = t.client.Allocate(); err != nil {
		return fmt.Errorf("allocate: %w", err)
	}
	if err = t.client.CreatePermission(t.to); err != nil {
		return fmt.Errorf("permission for %s: %w", t.to, err)
	}
	return nil
}

func (t *turnTransport) send(b []byte) { t.shaped(b) }

func (t *turnTransport) write(b []byte) { _, _ = t.relay.WriteTo(b, t.to) }

func (t *turnTransport) readLoop(m *meter, receive receiver) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := t.relay.ReadFrom(b)
		if err != nil {
			return
		}
		at := time.Now().UnixNano()
		m.mu.Lock()
		receive(m, b[:n], at)
		m.mu.Unlock()
	}
}

func (t *turnTransport) meter() *meter { return t.counted }

func (t *turnTransport) local() netip.AddrPort {
	a, _ := netip.ParseAddrPort(t.conn.LocalAddr().String())
	return a
}

func (t *turnTransport) close() error {
	err := t.relay.Close()
	t.client.Close()
	err = errors.Join(err, t.conn.Close())
	t.wg.Wait()
	return err
}
