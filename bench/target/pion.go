package target

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"carillon/api"
	"carillon/auth"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// pionTarget is the plain fan-out that anyone writes with pion in an hour, done as well as
// that allows: one UDP socket for all peers, no interceptors, one write per packet and
// subscriber. Carillon's path is compared with it.
type pionTarget struct {
	web  *webrtc.API
	conn *net.UDPConn
	whip *api.WHIP
	out  atomic.Uint64

	mu    sync.Mutex
	rooms map[string]*pionRoom
}

type pionRoom struct {
	tracks    []*webrtc.TrackLocalStaticRTP
	publisher *webrtc.PeerConnection
	video     webrtc.SSRC
}

func newPionTarget() (*pionTarget, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("media socket: %w", err)
	}
	if err := errors.Join(conn.SetReadBuffer(4<<20), conn.SetWriteBuffer(4<<20)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var media webrtc.MediaEngine
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	var settings webrtc.SettingEngine
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, conn))
	settings.SetLite(true)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	t := &pionTarget{conn: conn, rooms: map[string]*pionRoom{}}
	t.web = webrtc.NewAPI(webrtc.WithMediaEngine(&media), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	t.whip = api.NewWHIP(t, anyone, nil, slog.New(slog.DiscardHandler))
	return t, nil
}

func (t *pionTarget) routes(mux *http.ServeMux) {
	mux.Handle("/whip/", t.whip.Handler())
	mux.Handle("/whep/", t.whip.Handler())
}

func (t *pionTarget) relays() []Relay { return nil }

// runtime has as many system calls as packets.
func (t *pionTarget) runtime() Runtime {
	n := t.out.Load()
	return Runtime{Datagrams: n, Writes: n}
}

func (t *pionTarget) close() error { return errors.Join(t.whip.Close(), t.conn.Close()) }

// Publish takes a room's one publisher.
func (t *pionTarget) Publish(ctx context.Context, _ auth.Identity, name, offer string) (api.Session, string, error) {
	p, err := t.web.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	room := &pionRoom{publisher: p}
	s := newPionSession(p)
	p.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		t.mu.Lock()
		if remote.Kind() == webrtc.RTPCodecTypeVideo {
			room.video = remote.SSRC()
		}
		t.mu.Unlock()
		local := room.track(remote.Kind())
		for {
			packet, _, err := remote.ReadRTP()
			if err != nil {
				return
			}
			// A write that fails is of a subscriber that has left.
			_ = local.WriteRTP(packet)
		}
	})
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return nil, "", errors.Join(err, p.Close())
	}
	for _, transceiver := range p.GetTransceivers() {
		kind := transceiver.Kind()
		codec := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
		if kind == webrtc.RTPCodecTypeVideo {
			// The publisher's own first choice, so that the payload is forwarded as it is.
			codec = transceiver.Receiver().GetParameters().Codecs[0].RTPCodecCapability
		}
		local, err := webrtc.NewTrackLocalStaticRTP(codec, kind.String(), "bench")
		if err != nil {
			return nil, "", errors.Join(err, p.Close())
		}
		room.tracks = append(room.tracks, local)
	}
	answer, err := s.answer(ctx)
	if err != nil {
		return nil, "", errors.Join(err, p.Close())
	}
	t.mu.Lock()
	t.rooms[name] = room
	t.mu.Unlock()
	return s, answer, nil
}

func (r *pionRoom) track(kind webrtc.RTPCodecType) *webrtc.TrackLocalStaticRTP {
	return r.tracks[slices.IndexFunc(r.tracks, func(t *webrtc.TrackLocalStaticRTP) bool { return t.Kind() == kind })]
}

// Watch shows a room's publisher.
func (t *pionTarget) Watch(ctx context.Context, _ auth.Identity, name, offer string) (api.Session, string, error) {
	t.mu.Lock()
	room := t.rooms[name]
	t.mu.Unlock()
	if room == nil {
		return nil, "", fmt.Errorf("nobody publishes in %s", name)
	}
	p, err := t.web.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	s := newPionSession(p)
	for _, local := range room.tracks {
		sender, err := p.AddTrack(local)
		if err != nil {
			return nil, "", errors.Join(err, p.Close())
		}
		go t.feedback(room, sender) // ends when the sender stops
	}
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return nil, "", errors.Join(err, p.Close())
	}
	answer, err := s.answer(ctx)
	if err != nil {
		return nil, "", errors.Join(err, p.Close())
	}
	return s, answer, nil
}

// feedback reads a subscriber's RTCP and passes on its requests for a key frame.
func (t *pionTarget) feedback(room *pionRoom, sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, ok := packet.(*rtcp.PictureLossIndication); ok {
				t.mu.Lock()
				ssrc := room.video
				t.mu.Unlock()
				_ = room.publisher.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}})
			}
		}
	}
}

type pionSession struct {
	peer *webrtc.PeerConnection
	done chan struct{}
	once sync.Once
}

func newPionSession(p *webrtc.PeerConnection) *pionSession {
	s := &pionSession{peer: p, done: make(chan struct{})}
	p.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			s.once.Do(func() { close(s.done) })
		}
	})
	return s
}

func (s *pionSession) answer(ctx context.Context) (string, error) {
	answer, err := s.peer.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(s.peer)
	if err := s.peer.SetLocalDescription(answer); err != nil {
		return "", err
	}
	select {
	case <-gathered:
		return s.peer.LocalDescription().SDP, nil
	case <-time.After(5 * time.Second):
		return "", errors.New("no candidates within 5 s")
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s *pionSession) Offer(ctx context.Context, offer string) (string, error) {
	if err := s.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	return s.answer(ctx)
}

func (s *pionSession) Done() <-chan struct{} { return s.done }

func (s *pionSession) Close() error {
	err := s.peer.Close()
	s.once.Do(func() { close(s.done) })
	return err
}
