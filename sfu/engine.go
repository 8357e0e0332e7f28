package sfu

import (
	"context"
	"fmt"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"carillon/sfu/consent"
)

const (
	dtlsFirstInterval = 100 * time.Millisecond // until a flight is sent again the first time
	dtlsTime          = 20 * time.Second       // as long as a call waits for the media of a leg
)

// engine opens the muxes, which all peers share, and returns a func that makes the
// settings of pion for one peer.
func (s *SFU) engine() func() webrtc.SettingEngine {
	var quiet logging.LoggerFactory = pionLog{s.log}
	s.gate = consent.NewGate(s.conn, s.now)
	// The loopback address is a candidate when the port is bound to it, but not when the
	// port is bound to all interfaces. An address to advertise replaces a candidate, so
	// that there must be one on a machine that has loopback only.
	loopback := s.conn.AddrPort().Addr().IsLoopback() || len(s.cfg.Advertise) > 0
	s.udpMux = s.gate.Datagrams(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: s.gate, Logger: quiet.NewLogger("ice")}), loopback)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if s.tcp != nil {
		s.tcpMux = s.gate.Streams(ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener:       tcpListener{s.tcp},
			Logger:         quiet.NewLogger("ice"),
			ReadBufferSize: 64,

			WriteBufferSize:              tcpQueue,
			FirstStunBindTimeout:         tcpSilence,
			AliveDurationForConnFromStun: tcpUnknown,
		}))
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	return func() webrtc.SettingEngine {
		var e webrtc.SettingEngine
		e.LoggerFactory = quiet
		e.SetICEUDPMux(s.udpMux)
		if s.tcpMux != nil {
			e.SetICETCPMux(s.tcpMux)
		}
		e.SetNetworkTypes(types)
		e.SetLite(true)
		e.DisableActiveTCP(true) // a client connects to us, never we to it
		e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
		e.SetIncludeLoopbackCandidate(loopback)
		if len(s.cfg.Advertise) > 0 {
			_ = e.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{
				External: s.cfg.Advertise, AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace,
			})
		}
		_ = e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer)
		// HelloVerifyRequest keeps a DTLS server from answering addresses that did not ask
		// (https://www.rfc-editor.org/rfc/rfc6347#section-4.2.1). Here the gate has proved
		// the address before, so it only costs a round trip.
		e.SetDTLSInsecureSkipHelloVerify(true)
		// Each loss of a flight doubles the interval: from pion's first second on, a few
		// losses in a row took longer than anybody waits. A round trip longer than this
		// costs some packets that were not needed.
		e.SetDTLSRetransmissionInterval(dtlsFirstInterval)
		e.SetDTLSConnectContextMaker(func() (context.Context, func()) {
			return context.WithTimeout(context.Background(), s.dtlsTime)
		})
		// GCM costs a seventh of CM with SHA-1; browsers list CM first but accept our order.
		e.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
		// Peer.updateMediaState decides when a client is gone; for pion it never is.
		e.SetICETimeouts(0, 0, 2*time.Second)
		e.DetachDataChannels()
		e.SetSCTPMaxMessageSize(uint32(s.cfg.MessageBytes))
		return e
	}
}

// mediaEngine registers the codecs and header extensions that are forwarded, and no more:
// each line of an offer and an answer lists them all.
func mediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	audio := []webrtc.RTPCodecParameters{
		{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: "audio/opus", ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}},
		}},
		{PayloadType: 63, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111",
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "transport-cc"}},
		}},
	}
	feedback := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	var video []webrtc.RTPCodecParameters
	add := func(pt webrtc.PayloadType, mime, fmtp string) {
		video = append(video,
			webrtc.RTPCodecParameters{PayloadType: pt, RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: mime, ClockRate: 90000, SDPFmtpLine: fmtp, RTCPFeedback: feedback,
			}},
			webrtc.RTPCodecParameters{PayloadType: pt + 1, RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: "video/rtx", ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", pt),
			}})
	}
	add(96, "video/VP8", "")
	for i, profile := range []string{"42e01f", "42001f", "4d001f", "64001f"} {
		add(webrtc.PayloadType(102+2*i), "video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="+profile)
	}
	for _, c := range audio {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, fmt.Errorf("register %s: %w", c.MimeType, err)
		}
	}
	for _, c := range video {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, fmt.Errorf("register %s: %w", c.MimeType, err)
		}
	}
	for _, x := range []struct {
		uri  string
		kind webrtc.RTPCodecType
	}{
		{sdp.SDESMidURI, webrtc.RTPCodecTypeAudio},
		{sdp.SDESMidURI, webrtc.RTPCodecTypeVideo},
		{sdp.SDESRTPStreamIDURI, webrtc.RTPCodecTypeVideo},
		{sdp.SDESRepairRTPStreamIDURI, webrtc.RTPCodecTypeVideo},
		{sdp.TransportCCURI, webrtc.RTPCodecTypeAudio},
		{sdp.TransportCCURI, webrtc.RTPCodecTypeVideo},
		{sdp.AudioLevelURI, webrtc.RTPCodecTypeAudio},
	} {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: x.uri}, x.kind); err != nil {
			return nil, fmt.Errorf("register %s: %w", x.uri, err)
		}
	}
	return m, nil
}

// newPeerConnection makes the PeerConnection of p. Each peer has its own webrtc.API, since
// the interceptor and the handler of connectivity checks belong to the peer.
func (s *SFU) newPeerConnection(p *Peer) (*webrtc.PeerConnection, error) {
	m, err := mediaEngine()
	if err != nil {
		return nil, err
	}
	settings := s.settings()
	settings.SetICEBindingRequestHandler(p.bindingRequest)
	registry := &interceptor.Registry{}
	registry.Add(&p.arrivals)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, fmt.Errorf("open peer connection: %w", err)
	}
	return pc, nil
}
