package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// peerConfig says what a peer sends and receives. It always receives sound.
type peerConfig struct {
	microphone bool
	channels   bool                // it opens the data channels chat and lossy
	slots      int                 // of video
	change     func(string) string // is given each offer before it is sent; nil: offers stay as they are
}

// peer is a real PeerConnection of pion, with one packet of sound every 20 ms. Each holds the time
// at which it was sent, so that whoever hears it can tell how long it took.
type peer struct {
	// Fixed at construction.
	pc          *webrtc.PeerConnection
	chat, lossy *webrtc.DataChannel // nil: no channels
	microphone  *webrtc.TrackLocalStaticRTP
	answer      func(ctx context.Context, offer string) (string, error)
	change      func(string) string
	connected   chan struct{} // closed when media can flow
	open        chan struct{} // closed when the channels are open, too
	done        chan struct{} // closed by close
	talking     sync.WaitGroup
	sent        atomic.Uint64 // packets of sound so far

	heard atomic.Pointer[func(sent time.Time, n uint64)] // called for each packet of sound that came

	// Of the picture that comes.
	ssrc    atomic.Uint32 // 0: none has come
	highest atomic.Uint32 // the newest sequence number
}

func newPeer(cfg peerConfig, answer func(ctx context.Context, offer string) (string, error)) (*peer, error) {
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	engine.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	p := &peer{
		pc: pc, answer: answer, change: cfg.change,
		connected: make(chan struct{}), open: make(chan struct{}), done: make(chan struct{}),
	}
	var once sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(p.connected) })
		}
	})
	pc.OnTrack(p.receive)
	if err := p.lines(cfg); err != nil {
		_ = pc.Close()
		return nil, err
	}
	return p, nil
}

// lines makes the lines of the offer.
func (p *peer) lines(cfg peerConfig) (err error) {
	if cfg.microphone {
		p.microphone, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "microphone", "peer")
		if err != nil {
			return err
		}
		if _, err := p.pc.AddTransceiverFromTrack(p.microphone, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			return err
		}
	}
	receive := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := p.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, receive); err != nil {
		return err
	}
	for range cfg.slots {
		if _, err := p.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, receive); err != nil {
			return err
		}
	}
	if !cfg.channels {
		close(p.open)
		return nil
	}
	if p.chat, err = p.pc.CreateDataChannel("chat", nil); err != nil {
		return err
	}
	unordered, never := false, uint16(0)
	if p.lossy, err = p.pc.CreateDataChannel("lossy", &webrtc.DataChannelInit{Ordered: &unordered, MaxRetransmits: &never}); err != nil {
		return err
	}
	var opening sync.WaitGroup
	opening.Add(2)
	p.chat.OnOpen(opening.Done)
	p.lossy.OnOpen(opening.Done)
	go func() { // ends when the peer is connected; one that never is ends with the process
		opening.Wait()
		close(p.open)
	}()
	return nil
}

// offer sends an offer, and takes the answer.
func (p *peer) offer(ctx context.Context) error {
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	text := p.pc.LocalDescription().SDP
	if p.change != nil {
		text = p.change(text)
	}
	answer, err := p.answer(ctx, text)
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// connect offers, waits until media and channels are there, and talks until close.
func (p *peer) connect(ctx context.Context) error {
	if err := p.offer(ctx); err != nil {
		return err
	}
	for _, ready := range []chan struct{}{p.connected, p.open} {
		select {
		case <-ready:
		case <-ctx.Done():
			return fmt.Errorf("connect: %w", ctx.Err())
		}
	}
	if p.microphone != nil {
		p.talking.Go(p.talk)
	}
	return nil
}

// packetTime is what one packet of sound holds.
const packetTime = 20 * time.Millisecond

func (p *peer) talk() {
	tick := time.NewTicker(packetTime)
	defer tick.Stop()
	payload := make([]byte, 100)
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		n := p.sent.Add(1) - 1
		binary.BigEndian.PutUint64(payload, uint64(time.Now().UnixNano()))
		binary.BigEndian.PutUint64(payload[8:], n)
		_ = p.microphone.WriteRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * 960},
			Payload: payload,
		})
	}
}

// receive reads what comes on a line until the peer is closed.
func (p *peer) receive(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if track.Kind() == webrtc.RTPCodecTypeVideo {
			p.highest.Store(uint32(packet.SequenceNumber))
			p.ssrc.Store(packet.SSRC)
			continue
		}
		if heard := p.heard.Load(); heard != nil && len(packet.Payload) >= 16 {
			(*heard)(time.Unix(0, int64(binary.BigEndian.Uint64(packet.Payload))), binary.BigEndian.Uint64(packet.Payload[8:]))
		}
	}
}

// sees waits until a picture comes.
func (p *peer) sees(ctx context.Context) error {
	for p.ssrc.Load() == 0 {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait for a picture: %w", ctx.Err())
		}
	}
	return nil
}

// askAgain asks for the newest packets of the picture to be sent again.
func (p *peer) askAgain(packets int) (bytes int, err error) {
	var numbers []uint16
	for n := range packets {
		numbers = append(numbers, uint16(p.highest.Load())-uint16(packets)+uint16(n))
	}
	nack := &rtcp.TransportLayerNack{MediaSSRC: p.ssrc.Load(), Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)}
	return nack.MarshalSize(), p.pc.WriteRTCP([]rtcp.Packet{nack})
}

// credentials are ufrag and password of one side.
type credentials struct{ ufrag, password string }

var (
	iceUfrag    = regexp.MustCompile(`a=ice-ufrag:(\S+)`)
	icePassword = regexp.MustCompile(`a=ice-pwd:(\S+)`)
)

func credentialsOf(d *webrtc.SessionDescription) (c credentials) {
	if m := iceUfrag.FindStringSubmatch(d.SDP); m != nil {
		c.ufrag = m[1]
	}
	if m := icePassword.FindStringSubmatch(d.SDP); m != nil {
		c.password = m[1]
	}
	return c
}

func (p *peer) close() {
	close(p.done)
	_ = p.pc.Close()
	p.talking.Wait()
}
