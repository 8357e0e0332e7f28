package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// floodDatagrams sends to one address from many ports of the attacker, 20,000 datagrams in a
// second, and counts what comes back.
func (w *world) floodDatagrams(ctx context.Context, to netip.AddrPort, datagram func(n int) []byte) (string, error) {
	const ports, perSecond = 256, 20_000
	var sent, sentBytes, gotBytes atomic.Int64
	var conns []*net.UDPConn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range ports {
		conn, err := udpFrom(attackerAddress)
		if err != nil {
			return "", err
		}
		conns = append(conns, conn)
		go func() { // ends with the socket
			buffer := make([]byte, 2048)
			for {
				n, err := conn.Read(buffer)
				if err != nil {
					return
				}
				gotBytes.Add(int64(n))
			}
		}()
	}
	target := net.UDPAddrFromAddrPort(to)
	repeatedly(ctx, 2, 10_000_000, perSecond, func(_ context.Context, _, n int) {
		if size, err := conns[n%ports].WriteToUDP(datagram(n), target); err == nil {
			sent.Add(1)
			sentBytes.Add(int64(size))
		}
	})
	return fmt.Sprintf("%d datagrams from %d ports, sent %s, got %s (× %.2f)", sent.Load(), ports, megabytes(float64(sentBytes.Load())),
		megabytes(float64(gotBytes.Load())), float64(gotBytes.Load())/float64(sentBytes.Load())), nil
}

// clientHellos sends the first flight of DTLS from addresses that did no connectivity check.
func clientHellos(ctx context.Context, w *world) (string, error) {
	first, err := clientHello(ctx)
	if err != nil {
		return "", err
	}
	return w.floodDatagrams(ctx, w.server.address("media-udp"), func(int) []byte { return first })
}

// clientHello is the first datagram of a handshake as a real client sends it.
func clientHello(ctx context.Context) ([]byte, error) {
	trap, err := udpFrom(attackerAddress)
	if err != nil {
		return nil, err
	}
	defer trap.Close()
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, err
	}
	client, err := dtls.DialWithOptions("udp4", trap.LocalAddr().(*net.UDPAddr), dtls.WithCertificates(certificate), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		_ = client.HandshakeContext(ctx)
		close(ended)
	}()
	defer func() {
		cancel()
		<-ended
		_ = client.Close()
	}()
	buffer := make([]byte, 2048)
	_ = trap.SetReadDeadline(time.Now().Add(giveUp))
	n, err := trap.Read(buffer)
	return buffer[:n], err
}

// allocates asks for relays without a credential.
func allocates(ctx context.Context, w *world) (string, error) {
	m, err := stun.Build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.TransactionID,
		stun.RawAttribute{Type: stun.AttrRequestedTransport, Length: 4, Value: []byte{17, 0, 0, 0}})
	if err != nil {
		return "", err
	}
	return w.floodDatagrams(ctx, w.server.address("turn-udp"), func(n int) []byte {
		b := append([]byte(nil), m.Raw...)
		binary.BigEndian.PutUint32(b[8:], uint32(n)) // a transaction of its own
		return b
	})
}

// relays opens as many relays as it gets, with good credentials of one user.
func relays(ctx context.Context, w *world) (string, error) {
	server := w.server.address("turn-udp").String()
	var answers outcomes
	var mu sync.Mutex
	var held []func() // under mu
	ice := w.tabs[mallory].Welcome().ICEServers
	if len(ice) == 0 {
		return "", fmt.Errorf("the server offers no relays")
	}
	repeatedly(ctx, 16, 400, 200, func(context.Context, int, int) {
		conn, err := udpFrom(attackerAddress)
		if err != nil {
			answers.add(err.Error())
			return
		}
		client, err := turn.NewClient(&turn.ClientConfig{
			STUNServerAddr: server, TURNServerAddr: server, Conn: conn, Username: ice[0].Username, Password: ice[0].Credential,
		})
		if err != nil {
			answers.add(err.Error())
			return
		}
		if err := client.Listen(); err == nil {
			_, err = client.Allocate()
			if err == nil {
				answers.add("relays")
			} else {
				answers.add("refused")
			}
		}
		mu.Lock()
		defer mu.Unlock()
		held = append(held, func() { client.Close(); _ = conn.Close() })
	})
	w.release = func() {
		for _, end := range held {
			end()
		}
	}
	return answers.String(), nil
}
