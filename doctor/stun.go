package doctor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// answerTimeout is how long an address has to answer. It is asked several times meanwhile.
const answerTimeout = 2500 * time.Millisecond

var errSilent = errors.New("no answer")

// ask sends a STUN request over a socket or a relay until it is answered, and returns how
// long the answer took.
func ask(ctx context.Context, conn net.PacketConn, to net.Addr, build func() (*stun.Message, error)) (time.Duration, error) {
	request, err := build()
	if err != nil {
		return 0, fmt.Errorf("build request: %w", err)
	}
	until := time.Now().Add(answerTimeout)
	answer := make([]byte, 1500)
	for wait := 200 * time.Millisecond; time.Now().Before(until) && ctx.Err() == nil; wait *= 2 {
		sent := time.Now()
		if _, err := conn.WriteTo(request.Raw, to); err != nil {
			return 0, err
		}
		if err := conn.SetReadDeadline(sent.Add(wait)); err != nil {
			return 0, err
		}
		for {
			n, _, err := conn.ReadFrom(answer)
			if err != nil {
				break // the deadline, or a refusal that the next write meets again
			}
			if answers(answer[:n], request) {
				return time.Since(sent), nil
			}
		}
	}
	return 0, errSilent
}

func answers(b []byte, request *stun.Message) bool {
	m := &stun.Message{Raw: bytes.Clone(b)}
	return m.Decode() == nil && m.Type == stun.BindingSuccess && m.TransactionID == request.TransactionID
}

// askTCP does the same over ICE-TCP, where a length comes before each packet (RFC 4571).
func askTCP(ctx context.Context, to netip.AddrPort, build func() (*stun.Message, error)) (time.Duration, error) {
	request, err := build()
	if err != nil {
		return 0, fmt.Errorf("build request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	sent := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to.String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(sent.Add(answerTimeout)); err != nil {
		return 0, err
	}
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(request.Raw)))
	if _, err := conn.Write(append(framed, request.Raw...)); err != nil {
		return 0, err
	}
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			return 0, fmt.Errorf("%w: %w", errSilent, err)
		}
		packet := make([]byte, binary.BigEndian.Uint16(head))
		if _, err := io.ReadFull(conn, packet); err != nil {
			return 0, fmt.Errorf("%w: %w", errSilent, err)
		}
		if answers(packet, request) {
			return time.Since(sent), nil
		}
	}
}

// plainBinding is a request that any STUN server answers.
func plainBinding() (*stun.Message, error) {
	return stun.Build(stun.TransactionID, stun.BindingRequest)
}
