package load

import (
	"fmt"

	"github.com/pion/srtp/v3"

	"carillon/bench/packet"
)

// decrypter opens the SRTP and SRTCP of one remote side.
type decrypter struct {
	gcm  *packet.GCM   // for RTP with the usual AES-GCM profiles; nil with another
	pion *srtp.Context // for RTP with other profiles, and for all RTCP
}

func newDecrypter(key, salt []byte, profile srtp.ProtectionProfile) (*decrypter, error) {
	ctx, err := srtp.CreateContext(key, salt, profile, srtp.SRTCPNoReplayProtection(), srtp.SRTPNoReplayProtection())
	if err != nil {
		return nil, fmt.Errorf("srtp context: %w", err)
	}
	d := &decrypter{pion: ctx}
	if isGCM(profile) {
		d.gcm, err = packet.NewGCM(key, salt)
	}
	return d, err
}

func isGCM(profile srtp.ProtectionProfile) bool {
	return profile == srtp.ProtectionProfileAeadAes128Gcm || profile == srtp.ProtectionProfileAeadAes256Gcm
}

// maySkip says whether single packets may be left out. Pion's context needs every one, to
// follow the sequence numbers.
func (d *decrypter) maySkip() bool { return d.gcm != nil }

// open decrypts a packet in place and returns its payload; number is its extended sequence number.
func (d *decrypter) open(packet []byte, h packet.Header, number int64) ([]byte, error) {
	if d.gcm != nil {
		return d.gcm.Open(packet, h.Size, h.SSRC, number)
	}
	plain, err := d.pion.DecryptRTP(packet[:0], packet, nil)
	if err != nil {
		return nil, err
	}
	return plain[h.Size:], nil
}
