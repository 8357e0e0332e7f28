package preview

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"carillon/inet"
	"carillon/settings"
)

// policy decides which hosts and addresses are asked. It is asked about each address that is
// connected to: after each redirect, and for each picture. It does not change.
type policy struct {
	deny  []string
	allow []netip.Prefix
	ports []uint16
	own   func(netip.Addr) bool // an address of this machine

	// listeners are those of this server. One whose address is unspecified listens on all of this machine.
	listeners []netip.AddrPort
}

// newPolicy fails on a rule that cannot be read, so that a mistyped one never opens anything.
func newPolicy(c Config, listeners []netip.AddrPort) (*policy, error) {
	p := &policy{own: new(inet.Own).Has, listeners: listeners}
	var err error
	if p.allow, err = settings.Prefixes("allow_addresses", c.AllowAddresses); err != nil {
		return nil, err
	}
	for _, name := range c.Deny {
		host, err := usualHost(strings.Trim(name, "[]"), strings.Contains(name, ":"))
		if err != nil {
			return nil, fmt.Errorf("deny: %q is no host, such as example.com", name)
		}
		p.deny = append(p.deny, host)
	}
	for _, port := range c.Ports {
		if port < 1 || port > 65535 {
			return nil, fmt.Errorf("ports: %d is no port", port)
		}
		p.ports = append(p.ports, uint16(port))
	}
	return p, nil
}

// forbidden is why something is not asked.
type forbidden struct{ why string }

func (f forbidden) Error() string { return f.why }

// neverAsked are names of this machine and of what tells the secrets of machines in clouds. Their
// addresses are refused as well; here it does not come to asking a resolver.
var neverAsked = []string{
	"localhost", "localdomain", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata.azure.internal",
	"metadata.tencentyun.com", "metadata.platformequinix.com",
}

// host refuses a host, in its usual form, by its name.
func (p *policy) host(host string) error {
	for _, list := range [][]string{neverAsked, p.deny} {
		for _, denied := range list {
			if host == denied || strings.HasSuffix(host, "."+denied) {
				return forbidden{"host " + denied + " is denied"}
			}
		}
	}
	return nil
}

// address refuses where a connection may not go.
func (p *policy) address(to netip.AddrPort) error {
	if !slices.Contains(p.ports, to.Port()) {
		return forbidden{fmt.Sprintf("port %d is none of previews.ports", to.Port())}
	}
	a := to.Addr().Unmap()
	hidden := inet.Canonical(a)
	for _, l := range p.listeners {
		on := l.Addr().Unmap()
		here := on == a || on == hidden || on.IsUnspecified() && (p.isOwn(a) || p.isOwn(hidden))
		if here && l.Port() == to.Port() {
			return forbidden{"a listener of this server"}
		}
	}
	if slices.ContainsFunc(p.allow, func(allowed netip.Prefix) bool { return allowed.Contains(a) }) {
		return nil
	}
	if hidden != a {
		return forbidden{fmt.Sprintf("%s is %s in disguise", a, hidden)}
	}
	if what := inet.NotPublic(a); what != "" {
		return forbidden{what}
	}
	if p.isOwn(a) {
		return forbidden{"an address of this machine"}
	}
	return nil
}

// isOwn reports whether an address leads to this machine.
func (p *policy) isOwn(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() || p.own(a) {
		return true
	}
	return slices.ContainsFunc(p.listeners, func(l netip.AddrPort) bool { return l.Addr().Unmap() == a })
}
