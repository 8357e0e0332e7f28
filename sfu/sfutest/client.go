// Package sfutest is a synthetic client of the SFU, for tests and measurements: a real
// pion PeerConnection that offers like our page does, sends packets of the shape of
// VP8, H.264 and Opus, and counts what it receives.
package sfutest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Answerer is what the client sends its offers to: a *sfu.Peer, or signaling.
type Answerer func(ctx context.Context, offer string) (answer string, err error)

// Config of a client. The zero value sends microphone and camera and asks for three
// audio slots and one video slot, as a 1:1 call does.
type Config struct {
	NoMicrophone, NoCamera bool
	Screen                 bool // a second video line
	Simulcast              bool // camera in layers q, h, f
	H264                   bool // camera and slots
	RED                    bool // the microphone sends RED, and slots accept it
	NoRED                  bool // slots do not accept RED
	AudioSlots, VideoSlots int  // 0: three and one; negative: none
	NoChannels             bool
	TCP                    bool // ICE-TCP only

	// Drop, when set, loses incoming SRTP packets for which it says yes.
	Drop func(datagram []byte) bool
}

// Client is one leg. Its fields may be read at any time.
type Client struct {
	PC          *webrtc.PeerConnection
	Chat, Lossy *webrtc.DataChannel
	Microphone  *Sender
	Camera      []*Sender // one, or q, h, f
	Screen      *Sender
	Connected   chan struct{} // closed when ICE and DTLS are up the first time

	Offers atomic.Int32
	twcc   atomic.Uint32 // one count for all streams

	cfg    Config
	answer Answerer
	mux    ice.UDPMux // nil: pion's own sockets

	mu    sync.Mutex
	slots map[string]*Received // by mid
	wg    sync.WaitGroup
	done  chan struct{}
	once  sync.Once
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
	// Other numbers than the server's, so that nothing works by accident.
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
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" || name == "lo0" })
	if cfg.TCP {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	} else {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	}
	if cfg.Drop != nil && !cfg.TCP {
		mux, err := lossyMux(cfg.Drop)
		if err != nil {
			return nil, err
		}
		c.mux = mux
		e.SetICEUDPMux(mux)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{})), nil
}

// lossyConn drops what its func says, on the way in.
type lossyConn struct {
	*net.UDPConn
	drop func([]byte) bool
}

func (c lossyConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.UDPConn.ReadFrom(b)
		// RFC 7983: SRTP and SRTCP start with 128 to 191; packet types 192 to 223 are SRTCP.
		if err == nil && n > 12 && b[0] >= 128 && b[0] < 192 && (b[1] < 192 || b[1] > 223) && c.drop(b[:n]) {
			continue
		}
		return n, from, err
	}
}

func lossyMux(drop func([]byte) bool) (ice.UDPMux, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: lossyConn{conn, drop}}), nil
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

// Slot is what arrived on a mid; nil: nothing yet.
func (c *Client) Slot(mid string) *Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slots[mid]
}

// Slots are the mids of the receive-only lines of one kind, in order.
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

// Sender is one outgoing stream: a webrtc.TrackLocal that makes its own packets.
type Sender struct {
	id, rid     string
	kind        webrtc.RTPCodecType
	client      *Client
	transceiver *webrtc.RTPTransceiver

	PLIs, Nacks, Feedback, Reports atomic.Int32 // received
	Off                            atomic.Bool  // sends nothing while set

	mu      sync.Mutex
	out     webrtc.TrackLocalWriter
	ssrc    uint32
	rtxSSRC uint32
	rtxSeq  uint16
	pt      uint8
	red     uint8
	ext     map[string]uint8
	seq     uint16
	ts      uint32
	picture uint16
	key     bool
	kept    map[uint16]kept
}

type kept struct {
	header  rtp.Header
	payload []byte
}

func newSender(id, rid string, kind webrtc.RTPCodecType, c *Client) *Sender {
	return &Sender{
		id: id, rid: rid, kind: kind, client: c, key: true, kept: make(map[uint16]kept),
		seq: uint16(rand.Uint32()), ts: rand.Uint32(), picture: uint16(rand.Uint32N(1 << 15)),
	}
}

func (s *Sender) ID() string                { return s.id }
func (s *Sender) RID() string               { return s.rid }
func (s *Sender) StreamID() string          { return "client" }
func (s *Sender) Kind() webrtc.RTPCodecType { return s.kind }

func (s *Sender) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ext = make(map[string]uint8)
	for _, x := range t.HeaderExtensions() {
		s.ext[x.URI] = uint8(x.ID)
	}
	for _, c := range t.CodecParameters() {
		switch c.MimeType {
		case "audio/red":
			s.red = uint8(c.PayloadType)
		case webrtc.MimeTypeRTX:
		default:
			s.pt, s.ssrc, s.rtxSSRC, s.out = uint8(c.PayloadType), uint32(t.SSRC()), uint32(t.SSRCRetransmission()), t.WriteStream()
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

func (s *Sender) Unbind(webrtc.TrackLocalContext) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = nil
	return nil
}

// Audio sends one packet of 20 ms at a level in -dBov.
func (s *Sender) Audio(level uint8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts += 960
	payload := make([]byte, 80)
	pt := s.pt
	if s.client.cfg.RED && s.red != 0 {
		// One older block of 4 bytes, then the primary.
		payload = append([]byte{0x80 | s.pt, 960 << 2 >> 8 & 0xff, 960 << 2 & 0xff, 4, s.pt, 1, 2, 3, 4}, payload...)
		pt = s.red
	}
	h := s.headerLocked(pt)
	if id := s.ext[sdp.AudioLevelURI]; id != 0 {
		_ = h.SetExtension(id, []byte{level & 0x7f})
	}
	s.sendLocked(h, payload)
}

// Frame sends one frame of this many packets; a key frame when the server asked.
func (s *Sender) Frame(packets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ts += 3000
	s.picture = (s.picture + 1) & 0x7fff
	key := s.key
	s.key = false
	for i := range packets {
		payload := make([]byte, 1100)
		if s.client.cfg.H264 {
			switch {
			case key && i == 0:
				payload[0] = 24 // STAP-A with a parameter set of 4 bytes
				copy(payload[1:], []byte{0, 4, 7, 0, 0, 0})
				payload = payload[:7]
			case i == 0 || key && i == 1:
				payload[0], payload[1] = 28, 0x80|1
			default:
				payload[0], payload[1] = 28, 1
			}
		} else {
			payload[0], payload[1] = 0x80, 0xc0
			if i == 0 {
				payload[0] |= 0x10
			}
			binary.BigEndian.PutUint16(payload[2:], s.picture|0x8000)
			payload[4] = uint8(s.picture)
			payload[5] = 1
			if key {
				payload[5] = 0
			}
		}
		h := s.headerLocked(s.pt)
		h.Marker = i == packets-1
		s.sendLocked(h, payload)
	}
}

func (s *Sender) headerLocked(pt uint8) *rtp.Header {
	s.seq++
	h := &rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: s.seq, Timestamp: s.ts, SSRC: s.ssrc}
	if id := s.ext[sdp.SDESMidURI]; id != 0 && s.transceiver != nil {
		_ = h.SetExtension(id, []byte(s.transceiver.Mid()))
	}
	if id := s.ext[sdp.SDESRTPStreamIDURI]; id != 0 && s.rid != "" {
		_ = h.SetExtension(id, []byte(s.rid))
	}
	return h
}

func (s *Sender) sendLocked(h *rtp.Header, payload []byte) {
	if s.out == nil || s.Off.Load() {
		return
	}
	if id := s.ext[sdp.TransportCCURI]; id != 0 {
		n := uint16(s.client.twcc.Add(1))
		_ = h.SetExtension(id, binary.BigEndian.AppendUint16(nil, n))
	}
	s.kept[h.SequenceNumber] = kept{*h, payload}
	delete(s.kept, h.SequenceNumber-500)
	_, _ = s.out.WriteRTP(h, payload)
}

// Skip makes the next packets of this stream get lost on the way to the server.
func (s *Sender) Skip(packets int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range packets {
		h := s.headerLocked(s.pt)
		s.kept[h.SequenceNumber] = kept{*h, make([]byte, 100)}
	}
}

// Again sends a packet of the past once more, as browsers do to probe the bandwidth.
func (s *Sender) Again(back uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.againLocked(s.seq - back)
}

// againLocked repeats a packet, as RTX where that was negotiated. Layers of a
// simulcast camera repeat the packet itself.
func (s *Sender) againLocked(seq uint16) {
	k, ok := s.kept[seq]
	if !ok || s.out == nil {
		return
	}
	if s.rtxSSRC == 0 || s.rid != "" || s.kind == webrtc.RTPCodecTypeAudio {
		_, _ = s.out.WriteRTP(&k.header, k.payload)
		return
	}
	s.rtxSeq++
	h := k.header
	h.SSRC, h.PayloadType, h.SequenceNumber = s.rtxSSRC, 48, s.rtxSeq
	_, _ = s.out.WriteRTP(&h, append(binary.BigEndian.AppendUint16(nil, seq), k.payload...))
}

func (s *Sender) feedback(sender *webrtc.RTPSender) {
	read := sender.ReadRTCP
	if s.rid != "" {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return sender.ReadSimulcastRTCP(s.rid) }
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication:
				s.PLIs.Add(1)
				s.mu.Lock()
				s.key = true
				s.mu.Unlock()
			case *rtcp.TransportLayerNack:
				s.mu.Lock()
				for _, pair := range p.Nacks {
					pair.Range(func(seq uint16) bool {
						s.Nacks.Add(1)
						s.againLocked(seq)
						return true
					})
				}
				s.mu.Unlock()
			case *rtcp.TransportLayerCC:
				s.Feedback.Add(1)
			case *rtcp.ReceiverReport:
				s.Reports.Add(1)
			}
		}
	}
}

// Received is what arrived on one slot, and checks that it is one stream.
type Received struct {
	pc   *webrtc.PeerConnection
	ssrc uint32

	Reports atomic.Int32 // sender reports

	mu       sync.Mutex
	packets  int
	repaired int
	doubled  int
	keys     int
	faults   []string
	csrc     uint32
	byCSRC   map[uint32]int
	seqs     map[uint64]bool
	types    map[uint8]int
	highest  uint64
	lowest   uint64
	ts       uint32
	picture  uint16
	pictures bool
	lastSize int
}

// Counts of one slot.
type Counts struct {
	Packets  int // without repairs and doubles
	Repaired int // came as RTX
	Doubled  int
	Missing  int // between the lowest and the highest number
	Keys     int // key frames
	CSRC     uint32
	PT       uint8 // of the newest packet
	Size     int   // payload of the newest packet
	Faults   []string
}

func (r *Received) packet(b []byte, kind webrtc.RTPCodecType, repair bool) {
	var p rtp.Packet
	if p.Unmarshal(b) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	seq := uint64(p.SequenceNumber) + 1<<32
	if r.highest > 0 {
		seq = r.highest + uint64(int64(int16(p.SequenceNumber-uint16(r.highest))))
	}
	if r.seqs[seq] {
		r.doubled++
		return
	}
	r.seqs[seq] = true
	if repair {
		r.repaired++
	} else {
		r.packets++
	}
	if r.lowest == 0 || seq < r.lowest {
		r.lowest = seq
	}
	if r.types == nil {
		r.types = make(map[uint8]int)
	}
	r.types[p.PayloadType]++
	r.lastSize = len(p.Payload)
	if len(p.CSRC) == 1 {
		r.csrc = p.CSRC[0]
		r.byCSRC[r.csrc]++
	} else {
		r.fault("packet %d has %d CSRC", seq, len(p.CSRC))
	}
	vp8 := kind == webrtc.RTPCodecTypeVideo && p.PayloadType == 47 && len(p.Payload) > 6 && p.Payload[0]&0x80 != 0 && p.Payload[1] == 0xc0
	var picture uint16
	if vp8 {
		picture = binary.BigEndian.Uint16(p.Payload[2:]) & 0x7fff
		if p.Payload[0]&0x10 != 0 && p.Payload[5]&1 == 0 {
			r.keys++
		}
	}
	if seq <= r.highest {
		return
	}
	if r.highest > 0 {
		if step := int32(p.Timestamp - r.ts); step < 0 || step > 90_000*60 {
			r.fault("time stamp steps by %d at packet %d", step, seq)
		}
		if step := (picture - r.picture) & 0x7fff; vp8 && r.pictures && step > 1 && seq == r.highest+1 {
			r.fault("picture id steps by %d at packet %d", step, seq)
		}
	}
	r.highest, r.ts = seq, p.Timestamp
	if vp8 {
		r.picture, r.pictures = picture, true
	}
}

func (r *Received) fault(format string, args ...any) {
	if len(r.faults) < 10 {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

// Counts may be called on nil: nothing has arrived.
func (r *Received) Counts() Counts {
	if r == nil {
		return Counts{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Counts{
		Packets: r.packets, Repaired: r.repaired, Doubled: r.doubled, Keys: r.keys, CSRC: r.csrc,
		Size: r.lastSize, Faults: append([]string(nil), r.faults...),
	}
	if r.highest > 0 {
		c.Missing = int(r.highest-r.lowest+1) - len(r.seqs)
	}
	for pt := range r.types {
		c.PT = pt
	}
	return c
}

// Of is the number of packets that showed the source with this id.
func (r *Received) Of(csrc uint32) int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byCSRC[csrc]
}

// Ask sends a request for packets again: those missing now, of the newest 200.
func (r *Received) Ask() error {
	r.mu.Lock()
	var seqs []uint16
	for n := max(r.lowest, r.highest-min(r.highest, 200)); n < r.highest; n++ {
		if !r.seqs[n] {
			seqs = append(seqs, uint16(n))
		}
	}
	r.mu.Unlock()
	if len(seqs) == 0 {
		return nil
	}
	return r.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: r.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}})
}

// AskKey sends a picture loss indication.
func (r *Received) AskKey() error {
	return r.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: r.ssrc}})
}
