package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/stun/v4"
)

// Caller joins a room of its own through WHEP, as a player would, to learn what the server
// tells clients and to send its media port connectivity checks that it must answer.
type Caller struct {
	Token string // who it is, narrowed to Room
	Room  string // that it joins

	site   string // scheme://address
	client *http.Client

	// UDP and TCP are the media addresses in the server's answer, the first maxAddresses of
	// each. Join sets them.
	UDP, TCP []netip.AddrPort

	// Set by Join.
	session  string // the path of the session
	ufrag    string
	password string
}

const callerUfrag = "doctor"

// What answers may be another program than ours, with answers of its own making. So nothing
// of it is followed, and little of it is read.
const (
	maxAnswer    = 64 << 10 // bytes, of the header and of the body each
	maxAddresses = 8        // per transport; each is asked at the same time
)

// offer is the smallest that a WebRTC server must accept. Its fingerprint is never used:
// no DTLS follows.
var offer = strings.ReplaceAll(`v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=recvonly
a=rtcp-mux
a=ice-ufrag:`+callerUfrag+`
a=ice-pwd:onlyansweredneverasked00
a=fingerprint:sha-256 `+strings.TrimSuffix(strings.Repeat("00:", 32), ":")+`
a=setup:actpass
a=rtpmap:111 opus/48000/2
`, "\n", "\r\n")

// NewCaller is a caller of the server at an address. It asks for the certificate of
// serverName; empty: that of the address.
func NewCaller(scheme string, at netip.AddrPort, serverName string) *Caller {
	return &Caller{site: scheme + "://" + at.String(), Room: "doctor-" + rand.Text(), client: &http.Client{
		Timeout: 10 * time.Second,
		// The token goes to nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// Who is at the address is known, and the certificate is judged by itself.
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: serverName}, DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer,
		},
	}}
}

// withoutSession is the same caller before Join.
func (c *Caller) withoutSession() *Caller {
	return &Caller{site: c.site, Token: c.Token, Room: c.Room, client: c.client}
}

func (c *Caller) do(ctx context.Context, method, path, body string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.site+path, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/sdp")
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	return answer, string(text), err
}

// healthy asks whether the server serves, and for its time: by how much it is ahead of
// ours, to the second, or nil when it does not say.
func (c *Caller) healthy(ctx context.Context) (ahead *time.Duration, took time.Duration, err error) {
	asked := time.Now()
	answer, text, err := c.do(ctx, http.MethodGet, "/healthz", "")
	if err != nil {
		return nil, 0, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		ahead = new(date.Sub(asked))
	}
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(text))
	}
	return ahead, time.Since(asked), err
}

// Join opens a session, which Leave ends.
func (c *Caller) Join(ctx context.Context) error {
	answer, text, err := c.do(ctx, http.MethodPost, "/whep/"+c.Room, offer)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(text))
	}
	c.session = answer.Header.Get("Location")
	return c.read(text)
}

// Leave ends the session. A server that it does not reach ends the session by itself.
func (c *Caller) Leave(ctx context.Context) {
	if c.session != "" {
		_, _, _ = c.do(ctx, http.MethodDelete, c.session, "")
	}
}

// read takes the addresses and the ICE credentials from an answer.
func (c *Caller) read(answer string) error {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil || len(d.MediaDescriptions) == 0 {
		return fmt.Errorf("the answer is not SDP with a media line")
	}
	m := d.MediaDescriptions[0]
	for _, a := range append(d.Attributes, m.Attributes...) {
		switch a.Key {
		case "ice-ufrag":
			c.ufrag = a.Value
		case "ice-pwd":
			c.password = a.Value
		case "candidate":
			// "candidate:" foundation, component, transport, priority, address, port.
			// https://www.rfc-editor.org/rfc/rfc8839#section-5.1
			field := strings.Fields(a.Value)
			if len(field) < 6 || field[1] != "1" {
				continue
			}
			at, err := netip.ParseAddrPort(net.JoinHostPort(field[4], field[5]))
			list := &c.TCP
			if strings.EqualFold(field[2], "udp") {
				list = &c.UDP
			}
			if err == nil && len(*list) < maxAddresses {
				*list = append(*list, at)
			}
		}
	}
	if c.ufrag == "" || c.password == "" {
		return fmt.Errorf("the answer has no ICE credentials")
	}
	return nil
}

// Ask sends a connectivity check over a socket, or over a relay, and returns how long the
// answer took.
func (c *Caller) Ask(ctx context.Context, conn net.PacketConn, to netip.AddrPort) (time.Duration, error) {
	return ask(ctx, conn, net.UDPAddrFromAddrPort(to), c.check)
}

// AskTCP does the same over ICE-TCP.
func (c *Caller) AskTCP(ctx context.Context, to netip.AddrPort) (time.Duration, error) {
	return askTCP(ctx, to, c.check)
}

// check is a connectivity check that the server answers and that nominates no candidate.
// https://www.rfc-editor.org/rfc/rfc8445#section-7.2.2
func (c *Caller) check() (*stun.Message, error) {
	priority := binary.BigEndian.AppendUint32(nil, 0x7e7f1eff)
	return stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(c.ufrag+":"+callerUfrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: priority},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: bytes.Repeat([]byte{1}, 8)},
		stun.NewShortTermIntegrity(c.password), stun.Fingerprint)
}
