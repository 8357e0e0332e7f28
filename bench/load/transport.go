package load

import "net/netip"

// transport carries the datagrams of one peer to one address of the server.
type transport interface {
	// send may be called by several goroutines. A full socket drops the datagram. The
	// receiver counts that as loss like any other.
	send(datagram []byte)
	local() netip.AddrPort // the address that the server sees, where no relay is between
	meter() *meter         // counts what its receiver is given
	close() error
}

// receiver is given every datagram that arrives over a transport, while the transport's
// meter is locked. The bytes are its own until it returns; at is the time of arrival in unix
// nanoseconds.
type receiver func(m *meter, datagram []byte, at int64)
