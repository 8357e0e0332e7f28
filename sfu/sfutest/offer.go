package sfutest

import (
	"errors"
	"fmt"

	"github.com/pion/webrtc/v4"
)

// OfferFor returns an offer of a client that asks for so many video slots and never connects.
func OfferFor(slots int) (_ string, err error) {
	m := &webrtc.MediaEngine{}
	vp8 := webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}}
	if err := m.RegisterCodec(vp8, webrtc.RTPCodecTypeVideo); err != nil {
		return "", fmt.Errorf("register %s: %w", vp8.MimeType, err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", fmt.Errorf("open peer connection: %w", err)
	}
	defer func() { err = errors.Join(err, pc.Close()) }()
	for range slots {
		if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			return "", fmt.Errorf("add a slot: %w", err)
		}
	}
	offer, err := pc.CreateOffer(nil)
	return offer.SDP, err
}
