// Package sfutest is a synthetic client of the SFU, for tests and measurements: a real
// pion PeerConnection that offers like our page does, sends packets of the shape of
// VP8, H.264 and Opus, and counts what it receives.
package sfutest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Answerer answers the offers of a client: the method Offer of a peer, or a request to a
// server.
type Answerer func(ctx context.Context, offer string) (answer string, err error)

// Config of a client. The zero value sends microphone and camera and asks for three
// audio slots and one video slot, as a 1:1 call does.
type Config struct {
	NoMicrophone, NoCamera bool
	Screen                 bool // there is a second video line, for a screen
	Simulcast              bool // the camera is sent in the layers q, h and f
	H264                   bool // for camera and slots, instead of VP8
	RED                    bool // the microphone sends RED
	NoRED                  bool // the client cannot read RED
	AudioSlots, VideoSlots int  // 0: three and one; negative: none
	NoChannels             bool // there are no data channels
	TCP                    bool // ICE-TCP only

	// Lose, when set, loses each datagram for which it returns true: of those that the
	// client sends, and of those that come in. It is called from several goroutines.
	Lose func(datagram []byte, incoming bool) bool
	NAT  bool // there is a NAT, see Client.Rebind
}

// Client is the client of one leg.
type Client struct {
	// Fixed by New.
	PC          *webrtc.PeerConnection
	Chat, Lossy *webrtc.DataChannel // nil: Config.NoChannels
	Microphone  *Sender             // nil: Config.NoMicrophone
	Camera      []*Sender           // one, or the layers q, h and f; nil: Config.NoCamera
	Screen      *Sender             // nil: without Config.Screen
	cfg         Config
	answer      Answerer
	wire        *wire      // below mux
	mux         ice.UDPMux // nil: pion's own sockets

	Connected chan struct{} // closed when ICE and DTLS are connected the first time
	Offers    atomic.Int32  // how many were sent
	twcc      atomic.Uint32 // transport-wide sequence number of the newest packet

	wg   sync.WaitGroup
	done chan struct{} // closed by Close
	once sync.Once     // of Close

	mu    sync.Mutex
	slots map[string]*Received // by mid
}

// New makes a client and its offer's lines. Dial connects it.
func New(cfg Config, answer Answerer) (*Client, error) {
	c := &Client{cfg: cfg, answer: answer, slots: make(map[string]*Received), Connected: make(chan struct{}), done: make(chan struct{})}
	api, err := c.api()
	if err != nil {
		return nil, err
	}
	if c.PC, err = api.NewPeerConnection(webrtc.Configuration{}); err != nil {
		return nil, fmt.Errorf("open peer connection: %w", err)
	}
	var up sync.Once
	c.PC.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			up.Do(func() { close(c.Connected) })
		}
	})
	c.PC.OnTrack(c.track)
	if err := c.lines(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Client) api() (*webrtc.API, error) {
	cfg := c.cfg
	m := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}}
	register := func(pt webrtc.PayloadType, mime, fmtp string, clock uint32, kind webrtc.RTPCodecType) error {
		c := webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock, SDPFmtpLine: fmtp, RTCPFeedback: feedback}
		if kind == webrtc.RTPCodecTypeAudio {
			c.Channels = 2
		}
		return m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: pt, RTPCodecCapability: c}, kind)
	}
	// Payload types differ from the server's, so that nothing works by accident.
	if cfg.RED || !cfg.NoRED {
		if err := register(43, "audio/red", "45/45", 48000, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, err
		}
	}
	if err := register(45, webrtc.MimeTypeOpus, "minptime=10;useinbandfec=1", 48000, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	mime, fmtp := webrtc.MimeTypeVP8, ""
	if cfg.H264 {
		mime, fmtp = webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	}
	if err := register(47, mime, fmtp, 90000, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	if err := register(48, webrtc.MimeTypeRTX, "apt=47", 90000, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	for _, uri := range []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI, sdp.TransportCCURI, sdp.AudioLevelURI} {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	// Both as in Chromium, which never ends its connectivity checks.
	e.SetICEMaxBindingRequests(1000)
	e.SetDTLSRetransmissionInterval(50 * time.Millisecond)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" || name == "lo0" })
	if cfg.TCP {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	} else {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	}
	if (cfg.Lose != nil || cfg.NAT) && !cfg.TCP {
		wire, err := newWire(cfg.Lose)
		if err != nil {
			return nil, err
		}
		c.wire, c.mux = wire, ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: wire})
		e.SetICEUDPMux(c.mux)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{})), nil
}

func (c *Client) lines() error {
	if !c.cfg.NoMicrophone {
		s, err := c.sender("microphone", "", webrtc.RTPCodecTypeAudio)
		if err != nil {
			return err
		}
		c.Microphone = s[0]
	}
	if !c.cfg.NoCamera {
		rids := []string{""}
		if c.cfg.Simulcast {
			rids = []string{"q", "h", "f"}
		}
		var err error
		if c.Camera, err = c.sender("camera", rids[0], webrtc.RTPCodecTypeVideo, rids[1:]...); err != nil {
			return err
		}
	}
	if c.cfg.Screen {
		s, err := c.sender("screen", "", webrtc.RTPCodecTypeVideo)
		if err != nil {
			return err
		}
		c.Screen = s[0]
	}
	count := func(n, otherwise int) int {
		if n == 0 {
			return otherwise
		}
		return max(n, 0)
	}
	if err := c.addSlots(webrtc.RTPCodecTypeAudio, count(c.cfg.AudioSlots, 3)); err != nil {
		return err
	}
	if err := c.addSlots(webrtc.RTPCodecTypeVideo, count(c.cfg.VideoSlots, 1)); err != nil {
		return err
	}
	if c.cfg.NoChannels {
		return nil
	}
	var err error
	if c.Chat, err = c.PC.CreateDataChannel("chat", nil); err != nil {
		return err
	}
	unordered, none := false, uint16(0)
	c.Lossy, err = c.PC.CreateDataChannel("lossy", &webrtc.DataChannelInit{Ordered: &unordered, MaxRetransmits: &none})
	return err
}

func (c *Client) addSlots(kind webrtc.RTPCodecType, n int) error {
	for range n {
		if _, err := c.PC.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) sender(id, rid string, kind webrtc.RTPCodecType, more ...string) ([]*Sender, error) {
	first := newSender(id, rid, kind, c)
	t, err := c.PC.AddTransceiverFromTrack(first, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	all := []*Sender{first}
	for _, rid := range more {
		s := newSender(id, rid, kind, c)
		if err := t.Sender().AddEncoding(s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	for _, s := range all {
		s.transceiver = t
		c.wg.Go(func() { s.feedback(t.Sender()) })
	}
	return all, nil
}

// Dial offers and waits until media can flow.
func (c *Client) Dial(ctx context.Context) error {
	if err := c.Negotiate(ctx, false); err != nil {
		return err
	}
	select {
	case <-c.Connected:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("connect: %w", ctx.Err())
	}
}

// Negotiate sends one offer: again for more slots, or to restart ICE.
func (c *Client) Negotiate(ctx context.Context, restart bool) error {
	offer, err := c.PC.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return fmt.Errorf("create offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(c.PC)
	if err := c.PC.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("set offer: %w", err)
	}
	<-gathered
	c.Offers.Add(1)
	answer, err := c.answer(ctx, c.PC.LocalDescription().SDP)
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	return c.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// MoreVideo offers n more video slots.
func (c *Client) MoreVideo(ctx context.Context, n int) error {
	if err := c.addSlots(webrtc.RTPCodecTypeVideo, n); err != nil {
		return err
	}
	return c.Negotiate(ctx, false)
}

// Rebind makes the NAT give the client another port, which it does not notice. As Firefox
// does, it goes on with checks of the pair that it nominated once.
func (c *Client) Rebind() error { return c.wire.rebind() }

// Close ends the client and waits for its goroutines.
func (c *Client) Close() error {
	var err error
	c.once.Do(func() {
		close(c.done)
		err = c.PC.GracefulClose()
		if c.mux != nil {
			_ = c.mux.Close()
		}
	})
	c.wg.Wait()
	return err
}

// Talk sends the microphone's packets, 50 a second, at a level in -dBov, and a frame
// of each camera layer 30 times a second, until the client is closed.
func (c *Client) Talk(level uint8) {
	c.wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-c.done:
				return
			case <-tick.C:
			}
			if n%2 == 0 && c.Microphone != nil {
				c.Microphone.Audio(level)
			}
			if n%3 != 0 {
				continue
			}
			for _, s := range c.Camera {
				s.Frame(3)
			}
			if c.Screen != nil {
				c.Screen.Frame(3)
			}
		}
	})
}

// Slot returns what arrived on a line; nil: nothing has.
func (c *Client) Slot(mid string) *Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slots[mid]
}

// Slots returns the mids of the receive-only lines of one medium, in order.
func (c *Client) Slots(kind webrtc.RTPCodecType) []string {
	var mids []string
	for _, t := range c.PC.GetTransceivers() {
		if t.Kind() == kind && t.Direction() == webrtc.RTPTransceiverDirectionRecvonly {
			mids = append(mids, t.Mid())
		}
	}
	return mids
}

// track is called by pion for each incoming stream.
func (c *Client) track(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	mid := ""
	for _, x := range c.PC.GetTransceivers() {
		if x.Receiver() == r {
			mid = x.Mid()
		}
	}
	c.mu.Lock()
	in := c.slots[mid]
	if in == nil {
		in = &Received{pc: c.PC, ssrc: uint32(t.SSRC()), byCSRC: make(map[uint32]int), seqs: make(map[uint64]bool)}
		c.slots[mid] = in
	}
	c.mu.Unlock()
	c.wg.Go(func() {
		b := make([]byte, 2048)
		for {
			n, a, err := t.Read(b)
			if err != nil {
				return
			}
			in.packet(b[:n], t.Kind(), a.Get(webrtc.AttributeRtxSsrc) != nil)
		}
	})
	c.wg.Go(func() {
		for {
			packets, _, err := r.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if _, ok := p.(*rtcp.SenderReport); ok {
					in.Reports.Add(1)
				}
			}
		}
	})
}
