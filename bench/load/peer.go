package load

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

// exchange hands our offer to a server and returns its answer, and how to leave.
type exchange func(ctx context.Context, offer string) (answer string, leave func(context.Context) error, err error)

// Peer is one synthetic WebRTC peer: ICE, DTLS and SRTP as a browser does them, with
// made-up media. connect brings it up; from then on datagrams that arrive drive it.
type Peer struct {
	// Fixed at construction.
	name     string
	path     Path
	sockets  *sockets
	sections []section
	data     bool
	local    credentials
	cert     tls.Certificate

	// Set by connect, once.
	answer      answer
	leave       func(context.Context) error
	transport   transport
	ice         *ice
	dtlsPackets *dtlsPackets
	dtls        *dtls.Conn
	encryptRTP  *srtp.Context // owned by the pacer
	took        took
	channels    *channels

	// Guarded by the lock of the transport's meter.
	inbound inbound

	rtcpMu      sync.Mutex
	encryptRTCP *srtp.Context // guarded by rtcpMu

	// Set before connect.
	publication *publication // what this peer publishes; nil: it only receives
	silent      bool         // its first media comes at the next Run, not when it is ready
	once        sync.Once
}

// took is how long each step of connect took.
type took struct{ signal, ice, dtls time.Duration }

func newPeer(name string, path Path, s *sockets, sections []section, data bool, cert Certificate) *Peer {
	return &Peer{
		name: name, path: path, sockets: s, sections: sections, data: data, cert: cert.tls,
		local: credentials{ufrag: rand.Text()[:8], password: rand.Text(), fingerprint: cert.fingerprint},
	}
}

// connect brings the peer up, or says which step did not work.
func (p *Peer) connect(ctx context.Context, signal exchange) error {
	began := time.Now()
	step := func(took *time.Duration) {
		*took = time.Since(began)
		began = time.Now()
	}
	text, leave, err := signal(ctx, writeOffer(p.local, p.sections, p.data))
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.leave = leave
	if p.answer, err = parseAnswer(text); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	step(&p.took.signal)
	if err := p.connectICE(ctx); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	step(&p.took.ice)
	if err := p.connectDTLS(ctx); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	step(&p.took.dtls)
	if p.data {
		if !p.answer.data {
			return fmt.Errorf("%s: the server refuses data channels", p.name)
		}
		if p.channels, err = openChannels(ctx, p.dtls); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// connectICE tries the candidates that the path can use, one after the other.
func (p *Peer) connectICE(ctx context.Context) error {
	p.dtlsPackets = newDTLSPackets()
	candidates := p.path.choose(p.answer.candidates)
	if len(candidates) == 0 {
		return fmt.Errorf("the server offers no candidate for %s", p.path)
	}
	var failed error
	for i, c := range candidates {
		limit := 10 * time.Second
		if i+1 < len(candidates) {
			limit = 2 * time.Second
		}
		failed = p.tryCandidate(ctx, c, limit)
		if failed == nil || ctx.Err() != nil {
			return failed
		}
	}
	return failed
}

func (p *Peer) tryCandidate(ctx context.Context, c candidate, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("waited %s", limit))
	defer cancel()
	agent := newICE(p.local, p.answer.credentials, c.address)
	t, err := p.path.open(ctx, p.sockets, c.address, func(m *meter, b []byte, at int64) { p.receiveLocked(agent, m, b, at) })
	if err != nil {
		return err
	}
	p.dtlsPackets.attach(t)
	if err := agent.connect(ctx, t); err != nil {
		_ = t.close()
		return err
	}
	p.transport, p.ice = t, agent
	return nil
}

// receiveLocked tells STUN, DTLS, RTCP and RTP apart.
// https://www.rfc-editor.org/rfc/rfc7983#section-7
func (p *Peer) receiveLocked(agent *ice, m *meter, b []byte, at int64) {
	switch {
	case len(b) < 4:
	case b[0] < 4:
		if reply, err := agent.handle(b); err == nil && reply != nil {
			_ = p.dtlsPackets.send(reply)
		}
	case b[0] >= 20 && b[0] < 64:
		p.dtlsPackets.put(b)
	case b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223:
		p.inbound.controlLocked(b, at)
	case b[0]>>6 == 2:
		p.inbound.mediaLocked(m, b, at)
	}
}

// sendRTCP encrypts and sends one compound packet.
func (p *Peer) sendRTCP(plain []byte) {
	if p.encryptRTCP == nil {
		return // a peer with keys, which has no reports
	}
	p.rtcpMu.Lock()
	encrypted, err := p.encryptRTCP.EncryptRTCP(nil, plain, nil)
	p.rtcpMu.Unlock()
	if err == nil {
		p.transport.send(encrypted)
	}
}

// renewConsent sends a connectivity check, since a server may forget peers that send none.
// https://www.rfc-editor.org/rfc/rfc7675#section-5.1
func (p *Peer) renewConsent() {
	if b, err := p.ice.check(); err == nil {
		p.transport.send(b)
	}
}

// close leaves the server and gives everything back. A peer that never came up can be closed too.
func (p *Peer) close(ctx context.Context) (err error) {
	p.once.Do(func() {
		if p.leave != nil {
			err = p.leave(ctx)
		}
		if p.channels != nil {
			p.channels.close()
		}
		if p.dtls != nil {
			_ = p.dtls.Close()
		}
		if p.dtlsPackets != nil {
			_ = p.dtlsPackets.Close()
		}
		if p.transport != nil {
			_ = p.transport.close()
		}
	})
	return err
}
