package sfutest

import (
	"net"

	"github.com/pion/ice/v4"
)

// lossyConn is a socket that loses datagrams on either way.
type lossyConn struct {
	*net.UDPConn
	lose func(datagram []byte, incoming bool) bool
}

func (c lossyConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.UDPConn.ReadFrom(b)
		if err == nil && c.lose(b[:n], true) {
			continue
		}
		return n, from, err
	}
}

func (c lossyConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.lose(b, false) {
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, to)
}

func lossyMux(lose func([]byte, bool) bool) (ice.UDPMux, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: lossyConn{conn, lose}}), nil
}

// IsDTLS returns whether a datagram holds DTLS records.
// https://www.rfc-editor.org/rfc/rfc7983#section-7
func IsDTLS(b []byte) bool { return len(b) > 12 && b[0] >= 20 && b[0] < 64 }

// IsRTP returns whether a datagram is an RTP packet: "[packet type] values in the range
// [192,223]" are RTCP.
// https://www.rfc-editor.org/rfc/rfc5761#section-4
func IsRTP(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] < 192 && (b[1] < 192 || b[1] > 223)
}
