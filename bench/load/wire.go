package load

import "net/netip"

// wire carries the datagrams of one peer to one address of the server.
type wire interface {
	// send may be called by several goroutines. A full socket loses the datagram,
	// which is then a loss like any other, counted by the receiver.
	send(datagram []byte) error
	local() netip.AddrPort
	meter() *meter // where its receiver counts
	close() error
}

// receiver is given every datagram of a wire, with the meter of the wire locked.
// The bytes are its own until it returns; at is the arrival in unix nanoseconds.
type receiver func(m *meter, datagram []byte, at int64)
