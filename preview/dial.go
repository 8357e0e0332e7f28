package preview

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"carillon/limit"
)

const (
	dialMost = 4               // addresses of one name that are tried
	dialTime = 2 * time.Second // for one of them
)

// dialer connects to hosts that strangers named. It asks for the addresses of a name once, and
// connects to one of the addresses that it got and checked: a name that has another address when it is
// asked for again (DNS rebinding) gains nothing.
type dialer struct {
	// Fixed at construction.
	policy  *policy
	resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)
	targets *limit.Keys[netip.Addr] // how often each address is connected to
	over    *limit.Count
	now     func() time.Time
}

// DialContext is for [net/http.Transport]. The host is in its usual form, see parseLink.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	addresses, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	// A name with one address that is forbidden is refused as a whole: no honest name has one.
	for _, a := range addresses {
		if err := d.policy.address(netip.AddrPortFrom(a, uint16(number))); err != nil {
			return nil, err
		}
	}
	if len(addresses) > dialMost {
		addresses = addresses[:dialMost]
	}
	var failed []error
	for _, a := range addresses {
		if wait := d.targets.Take(limit.Address(a), 1, d.now()); wait > 0 {
			d.over.Add()
			return nil, forbidden{"connected to too often"}
		}
		conn, err := d.connect(ctx, netip.AddrPortFrom(a, uint16(number)))
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// addresses returns those of a host, in their usual form.
func (d *dialer) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" {
			return nil, forbidden{"an address with a zone"}
		}
		return []netip.Addr{a.Unmap()}, nil
	}
	if err := d.policy.host(host); err != nil {
		return nil, err
	}
	// The dot at the end says that the name is whole: nothing is tried below the domains of this network.
	list, err := d.resolve(ctx, "ip", strings.TrimSuffix(host, ".")+".")
	if err != nil {
		return nil, err
	}
	for i, a := range list {
		list[i] = a.Unmap().WithZone("")
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return list, nil
}

// connect checks the address once more where the system is told it, whatever happened before.
func (d *dialer) connect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	raw := net.Dialer{
		Timeout: dialTime,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			actual, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return d.policy.address(actual)
		},
	}
	return raw.DialContext(ctx, "tcp", to.String())
}
