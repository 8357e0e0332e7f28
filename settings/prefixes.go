package settings

import (
	"fmt"
	"net/netip"
)

// Prefixes reads a list of addresses and CIDRs. Its error begins with key. What is not
// exact is an error too, so that a mistyped rule never opens anything.
func Prefixes(key string, list []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range list {
		p, err := Prefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// Prefix reads an address or a CIDR. An address is the prefix that holds it alone.
func Prefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a CIDR, such as 10.1.2.3 or 10.1.0.0/16", text)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond its length; did you mean %s?", text, p.Masked())
	}
	return p, nil
}
