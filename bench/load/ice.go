package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// ice is our side of the connectivity checks: always controlling, over one transport, with the
// server's address nominated at once. That is all that a server with an address of its own
// needs, whether it is ICE-lite or checks us in turn.
type ice struct {
	// Fixed.
	local  credentials
	remote credentials
	server netip.AddrPort

	confirmed chan struct{} // holds one element as soon as the server has answered a check
}

func newICE(local, remote credentials, server netip.AddrPort) *ice {
	return &ice{local: local, remote: remote, server: server, confirmed: make(chan struct{}, 1)}
}

// Attributes of https://www.rfc-editor.org/rfc/rfc8445#section-16.1
const (
	attrPriority     = stun.AttrPriority
	attrUseCandidate = stun.AttrUseCandidate
	attrControlling  = stun.AttrICEControlling
)

func (i *ice) check() ([]byte, error) {
	var priority [4]byte
	binary.BigEndian.PutUint32(priority[:], 0x7e7f1eff)
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(i.remote.ufrag+":"+i.local.ufrag),
		stun.RawAttribute{Type: attrPriority, Value: priority[:]},
		stun.RawAttribute{Type: attrControlling, Value: []byte("carillon")}, // the tie breaker: nobody disputes our role
		stun.RawAttribute{Type: attrUseCandidate},
		stun.NewShortTermIntegrity(i.remote.password), stun.Fingerprint)
	if err != nil {
		return nil, fmt.Errorf("build connectivity check: %w", err)
	}
	return m.Raw, nil
}

// connect sends checks until the server answers one.
func (i *ice) connect(ctx context.Context, t transport) error {
	wait := 50 * time.Millisecond
	for {
		b, err := i.check()
		if err != nil {
			return err
		}
		t.send(b)
		select {
		case <-i.confirmed:
			return nil
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		case <-ctx.Done():
			return fmt.Errorf("no answer to connectivity checks from %s: %w", i.server, context.Cause(ctx))
		}
	}
}

var errNotForUs = errors.New("not for us")

// handle takes a STUN message and returns what to answer, if anything.
func (i *ice) handle(b []byte) (reply []byte, err error) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if err := m.Decode(); err != nil {
		return nil, err
	}
	switch m.Type {
	case stun.BindingSuccess:
		select {
		case i.confirmed <- struct{}{}:
		default: // told already
		}
		return nil, nil
	case stun.BindingRequest:
		if err := stun.NewShortTermIntegrity(i.local.password).Check(m); err != nil {
			return nil, errors.Join(errNotForUs, err)
		}
		address := &stun.XORMappedAddress{IP: net.IP(i.server.Addr().AsSlice()), Port: int(i.server.Port())}
		r, err := stun.Build(m, stun.BindingSuccess, address, stun.NewShortTermIntegrity(i.local.password), stun.Fingerprint)
		if err != nil {
			return nil, err
		}
		return r.Raw, nil
	}
	return nil, nil
}
