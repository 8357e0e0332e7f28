package load

import (
	"fmt"

	"github.com/pion/srtp/v3"

	"carillon/bench/packet"
)

// opener takes SRTP and SRTCP of one remote side. The common profile takes the short
// way; pion serves the others, and all RTCP.
type opener struct {
	gcm *packet.GCM
	ctx *srtp.Context
}

func newOpener(key, salt []byte, profile srtp.ProtectionProfile) (*opener, error) {
	ctx, err := srtp.CreateContext(key, salt, profile, srtp.SRTCPNoReplayProtection(), srtp.SRTPNoReplayProtection())
	if err != nil {
		return nil, fmt.Errorf("srtp context: %w", err)
	}
	o := &opener{ctx: ctx}
	if isGCM(profile) {
		o.gcm, err = packet.NewGCM(key, salt)
	}
	return o, err
}

func isGCM(profile srtp.ProtectionProfile) bool {
	return profile == srtp.ProtectionProfileAeadAes128Gcm || profile == srtp.ProtectionProfileAeadAes256Gcm
}

// sampled says whether packets may be left out.
func (o *opener) sampled() bool { return o.gcm != nil }

func (o *opener) open(packet []byte, h packet.Header, number int64) ([]byte, error) {
	if o.gcm != nil {
		return o.gcm.Open(packet, h.Size, h.SSRC, number)
	}
	plain, err := o.ctx.DecryptRTP(packet[:0], packet, nil)
	if err != nil {
		return nil, err
	}
	return plain[h.Size:], nil
}
