//go:build linux

package turn

import (
	"fmt"
	"net"
	"time"
)

// URLs are what clients use to reach this server, UDP first.
func (s *Server) URLs() []string { return s.urls }

func (s *Server) url(l listenAddress) string {
	host := s.cfg.Host
	if host == "" {
		a := l.address.Addr()
		if a.IsUnspecified() {
			a = s.facts.relays[0].advertised
		}
		host = a.String()
	}
	at := net.JoinHostPort(host, fmt.Sprint(l.address.Port()))
	switch {
	case s.cfg.STUNOnly && l.transport == "tls":
		return "stuns:" + at
	case s.cfg.STUNOnly:
		return "stun:" + at
	case l.transport == "tls":
		return "turns:" + at + "?transport=tcp"
	}
	return "turn:" + at + "?transport=" + l.transport
}

// ICEServers gives a user this server's URLs with a credential that is good for new relays
// until credential_seconds after now.
func (s *Server) ICEServers(user string, now time.Time) []ICEServer {
	if len(s.cfg.Secrets) == 0 {
		return []ICEServer{{URLs: s.urls}} // STUN only, or static users, who know their passwords
	}
	name, password := Credential(s.cfg.Secrets[0], user, now.Add(time.Duration(s.cfg.CredentialSeconds)*time.Second))
	return []ICEServer{{URLs: s.urls, Username: name, Credential: password}}
}
