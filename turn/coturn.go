package turn

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"carillon/inet"
	"carillon/settings"
)

// coturn is a turnserver.conf as it is read.
type coturn struct {
	config                     Config
	listening, relay, external []string
	port, tlsPort              string
	off                        map[string]bool
	notes                      []string
}

// ImportCoturn reads a turnserver.conf and writes our TOML. What we cannot take over, or do
// differently, is a comment in it.
func ImportCoturn(from io.Reader, to io.Writer) error {
	c := coturn{port: "3478", tlsPort: "5349", off: map[string]bool{}}
	lines := bufio.NewScanner(from)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(strings.TrimLeft(line, "-"), "=")
		if !utf8.ValidString(line) {
			c.note(number, strings.TrimSpace(key), "", "is not UTF-8, as TOML must be")
			continue
		}
		c.take(number, strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"`))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read turnserver.conf: %w", err)
	}
	c.settleDenials()
	return c.print(to)
}

// settleDenials drops what is denied here anyway. In coturn allowed-peer-ip wins over
// denied-peer-ip, here deny wins over allow, so what is left of that is pointed out.
func (c *coturn) settleDenials() {
	p := &c.config.Peers
	p.Deny = slices.DeleteFunc(p.Deny, func(rule string) bool {
		d, err := settings.Prefix(rule)
		return err == nil && inet.Special(d)
	})
	for _, denied := range p.Deny {
		for _, allowed := range p.Allow {
			d, err1 := settings.Prefix(denied)
			a, err2 := settings.Prefix(allowed)
			if err1 == nil && err2 == nil && d.Overlaps(a) {
				c.notes = append(c.notes, fmt.Sprintf("allowed-peer-ip=%s lies in denied-peer-ip=%s: coturn allows it, here deny wins; split the denied range", allowed, denied))
			}
		}
	}
}

func (c *coturn) take(line int, key, value string) {
	cfg := &c.config
	number := func(into *int, scale func(int) int) {
		n, err := strconv.Atoi(value)
		if err != nil {
			c.note(line, key, value, "is no number")
			return
		}
		*into = scale(n)
	}
	same := func(n int) int { return n }
	kbps := func(n int) int { return max(1, n*8/1000) }
	ports := func(i int) {
		if cfg.RelayPorts == nil {
			cfg.RelayPorts = Defaults().RelayPorts
		}
		number(&cfg.RelayPorts[i], same)
	}
	switch key {
	case "listening-port":
		c.port = value
	case "tls-listening-port":
		c.tlsPort = value
	case "listening-ip":
		c.listening = append(c.listening, value)
	case "relay-ip":
		c.relay = append(c.relay, value)
	case "external-ip":
		c.external = append(c.external, value)
	case "min-port":
		ports(0)
	case "max-port":
		ports(1)
	case "static-auth-secret":
		cfg.Secrets = append(cfg.Secrets, value)
	case "realm":
		cfg.Realm = value
	case "user":
		name, password, _ := strings.Cut(value, ":")
		if strings.HasPrefix(password, "0x") {
			c.note(line, key, name, "has a hashed key; we need the password")
			return
		}
		if cfg.Users == nil {
			cfg.Users = map[string]string{}
		}
		cfg.Users[name] = password
	case "cert":
		cfg.Cert = value
	case "pkey":
		cfg.Key = value
	case "no-udp", "no-tcp", "no-tls":
		c.off[strings.TrimPrefix(key, "no-")] = true
	case "stun-only":
		cfg.STUNOnly = true
	case "user-quota":
		number(&cfg.Quota.PerUser, same)
	case "total-quota":
		number(&cfg.Quota.Total, same)
	case "max-bps":
		number(&cfg.Quota.RelayKbps, kbps)
	case "bps-capacity":
		number(&cfg.Quota.TotalKbps, kbps)
	case "allow-loopback-peers":
		cfg.Peers.Allow = append(cfg.Peers.Allow, "127.0.0.0/8")
	case "allowed-peer-ip":
		c.peers(line, key, value, &cfg.Peers.Allow)
	case "denied-peer-ip":
		c.peers(line, key, value, &cfg.Peers.Deny)
	default:
		if ignoredOptions[key] {
			return
		}
		reason, ok := refusedOptions[key]
		if !ok {
			reason = "is not known to us"
		}
		c.note(line, key, value, reason)
	}
}

func (c *coturn) note(line int, key, value, reason string) {
	text := key
	if value != "" && !strings.Contains(key, "password") && !strings.Contains(key, "userdb") {
		text += "=" + value
	}
	c.notes = append(c.notes, fmt.Sprintf("line %d, %s: %s", line, text, reason))
}

// peers takes ADDRESS, CIDR or FIRST-LAST.
func (c *coturn) peers(line int, key, value string, into *[]string) {
	first, last, isRange := strings.Cut(value, "-")
	if !isRange {
		if p, err := netip.ParsePrefix(value); err == nil {
			value = p.Masked().String()
		} else if _, err := netip.ParseAddr(value); err != nil {
			c.note(line, key, value, "is no address")
			return
		}
		*into = append(*into, value)
		return
	}
	a, err1 := netip.ParseAddr(strings.TrimSpace(first))
	b, err2 := netip.ParseAddr(strings.TrimSpace(last))
	if err1 != nil || err2 != nil || a.Is4() != b.Is4() || b.Less(a) {
		c.note(line, key, value, "is no range")
		return
	}
	for _, p := range rangePrefixes(a, b) {
		*into = append(*into, p.String())
	}
}

// rangePrefixes are the fewest prefixes that cover a to b and nothing else.
func rangePrefixes(a, b netip.Addr) []netip.Prefix {
	var list []netip.Prefix
	for {
		bits := a.BitLen()
		for bits > 0 {
			wider := netip.PrefixFrom(a, bits-1)
			if wider.Masked().Addr() != a || b.Less(lastOf(wider)) {
				break
			}
			bits--
		}
		p := netip.PrefixFrom(a, bits)
		list = append(list, p)
		if end := lastOf(p); end == b {
			return list
		} else {
			a = end.Next()
		}
	}
}

func lastOf(p netip.Prefix) netip.Addr {
	size := p.Addr().BitLen()
	n := new(big.Int).SetBytes(p.Masked().Addr().AsSlice())
	n.Or(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(size-p.Bits())), big.NewInt(1)))
	b := make([]byte, size/8)
	a, _ := netip.AddrFromSlice(n.FillBytes(b))
	return a
}

// print writes the TOML.
func (c *coturn) print(to io.Writer) error {
	cfg := &c.config
	w := bufio.NewWriter(to)
	for _, n := range c.notes {
		fmt.Fprintf(w, "# Not taken over: %s\n", printable(n))
	}
	fmt.Fprintln(w, "# Unlike coturn, private, loopback and other special addresses cannot be reached unless [turn.peers] allows them.")
	fmt.Fprintln(w, "[turn]")
	list := func(key string, values []string) {
		if len(values) > 0 {
			fmt.Fprintf(w, "%s = [%s]\n", key, quoted(values))
		}
	}
	text := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s = %s\n", key, tomlString(value))
		}
	}
	number := func(key string, value int) {
		if value != 0 {
			fmt.Fprintf(w, "%s = %d\n", key, value)
		}
	}
	text("realm", cfg.Realm)
	list("secrets", cfg.Secrets)
	listening := c.listening
	if len(listening) == 0 {
		listening = []string{"0.0.0.0"}
	}
	at := func(port string) (list []string) {
		for _, ip := range listening {
			if a, err := netip.ParseAddr(ip); err == nil && a.Is6() {
				ip = "[" + ip + "]"
			}
			list = append(list, ip+":"+port)
		}
		return list
	}
	for _, l := range []struct{ name, port string }{{"udp", c.port}, {"tcp", c.port}, {"tls", c.tlsPort}} {
		switch {
		case c.off[l.name]:
			fmt.Fprintf(w, "%s = []\n", l.name)
		case l.name != "tls" || cfg.Cert != "" && cfg.Key != "":
			list(l.name, at(l.port))
		}
	}
	text("cert", cfg.Cert)
	text("key", cfg.Key)
	list("relay_addresses", c.relays())
	if cfg.RelayPorts != nil {
		fmt.Fprintf(w, "relay_ports = [%d, %d]\n", cfg.RelayPorts[0], cfg.RelayPorts[1])
	}
	if cfg.STUNOnly {
		fmt.Fprintln(w, "stun_only = true")
	}
	if len(cfg.Users) > 0 {
		fmt.Fprintln(w, "\n[turn.users]")
		for _, name := range slices.Sorted(maps.Keys(cfg.Users)) {
			fmt.Fprintf(w, "%s = %s\n", tomlString(name), tomlString(cfg.Users[name]))
		}
	}
	if len(cfg.Peers.Allow)+len(cfg.Peers.Deny) > 0 {
		fmt.Fprintln(w, "\n[turn.peers]")
		list("allow", cfg.Peers.Allow)
		list("deny", cfg.Peers.Deny)
	}
	if cfg.Quota != (Quota{}) {
		fmt.Fprintln(w, "\n[turn.quota]")
		number("per_user", cfg.Quota.PerUser)
		number("total", cfg.Quota.Total)
		number("relay_kbps", cfg.Quota.RelayKbps)
		number("total_kbps", cfg.Quota.TotalKbps)
	}
	return w.Flush()
}

// relays joins external-ip and relay-ip, which coturn pairs in the same way.
func (c *coturn) relays() []string {
	if len(c.external) == 0 {
		return c.relay
	}
	list := slices.Clone(c.external)
	if len(list) == 1 && !strings.Contains(list[0], "/") && len(c.relay) == 1 {
		list[0] += "/" + c.relay[0]
	}
	return list
}

func quoted(values []string) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(tomlString(v))
	}
	return b.String()
}

// tomlString is a basic string of TOML, whose escapes are not all those of Go.
func tomlString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// printable is text for a comment, in which TOML allows no control characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '�'
		}
		return r
	}, text)
}
