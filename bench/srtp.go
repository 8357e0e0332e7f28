package bench

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pion/srtp/v3"
)

// gcm seals and opens SRTP packets with an AEAD_AES_GCM profile (RFC 7714). It keeps
// no state between packets: the caller says which roll-over a number belongs to, so
// it may open only a sample of a stream. One goroutine at a time.
type gcm struct {
	aead cipher.AEAD
	salt [12]byte

	scratch [12]byte // a nonce on the stack would escape through the interface
}

const gcmTag = 16

func newGCM(masterKey, masterSalt []byte) (*gcm, error) {
	var g gcm
	key, err := deriveSRTP(masterKey, masterSalt, labelRTPKey, len(masterKey))
	if err != nil {
		return nil, err
	}
	salt, err := deriveSRTP(masterKey, masterSalt, labelRTPSalt, len(g.salt))
	if err != nil {
		return nil, err
	}
	copy(g.salt[:], salt)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("srtp session key: %w", err)
	}
	g.aead, err = cipher.NewGCM(block)
	return &g, err
}

const (
	labelRTPKey  = 0
	labelRTPSalt = 2
)

// deriveSRTP is the AES-CM key derivation with a rate of zero.
// https://www.rfc-editor.org/rfc/rfc3711#section-4.3
func deriveSRTP(masterKey, masterSalt []byte, label byte, size int) ([]byte, error) {
	block, err := aes.NewCipher(masterKey)
	if err != nil {
		return nil, fmt.Errorf("srtp master key: %w", err)
	}
	var iv [aes.BlockSize]byte
	copy(iv[:14], masterSalt)
	iv[7] ^= label
	out := make([]byte, size)
	cipher.NewCTR(block, iv[:]).XORKeyStream(out, out)
	return out, nil
}

// nonce of a packet.
// https://www.rfc-editor.org/rfc/rfc7714#section-8.1
func (g *gcm) nonce(ssrc uint32, number int64) []byte {
	n := g.scratch[:]
	n[0], n[1] = 0, 0
	binary.BigEndian.PutUint32(n[2:], ssrc)
	binary.BigEndian.PutUint32(n[6:], uint32(number>>16))
	binary.BigEndian.PutUint16(n[10:], uint16(number))
	for i, s := range g.salt {
		n[i] ^= s
	}
	return n
}

// open decrypts the packet's payload in place and returns it.
func (g *gcm) open(packet []byte, header int, ssrc uint32, number int64) ([]byte, error) {
	return g.aead.Open(packet[header:header], g.nonce(ssrc, number), packet[header:], packet[:header])
}

// seal encrypts payload behind the header that dst begins with and returns the whole packet.
func (g *gcm) seal(dst []byte, header int, payload []byte, ssrc uint32, number int64) []byte {
	return g.aead.Seal(dst[:header], g.nonce(ssrc, number), payload, dst[:header])
}

// opener takes SRTP and SRTCP of one remote side. The common profile takes the short
// way; pion serves the others, and all RTCP.
type opener struct {
	gcm *gcm
	ctx *srtp.Context
}

func newOpener(key, salt []byte, profile srtp.ProtectionProfile) (*opener, error) {
	ctx, err := srtp.CreateContext(key, salt, profile, srtp.SRTCPNoReplayProtection(), srtp.SRTPNoReplayProtection())
	if err != nil {
		return nil, fmt.Errorf("srtp context: %w", err)
	}
	o := &opener{ctx: ctx}
	if isGCM(profile) {
		o.gcm, err = newGCM(key, salt)
	}
	return o, err
}

func isGCM(profile srtp.ProtectionProfile) bool {
	return profile == srtp.ProtectionProfileAeadAes128Gcm || profile == srtp.ProtectionProfileAeadAes256Gcm
}

// sampled says whether packets may be left out.
func (o *opener) sampled() bool { return o.gcm != nil }

func (o *opener) open(packet []byte, h header, number int64) ([]byte, error) {
	if o.gcm != nil {
		return o.gcm.open(packet, h.size, h.ssrc, number)
	}
	plain, err := o.ctx.DecryptRTP(packet[:0], packet, nil)
	if err != nil {
		return nil, err
	}
	return plain[h.size:], nil
}

// header is what we read of an RTP packet without copying it.
type header struct {
	size      int
	marker    bool
	kind      uint8 // payload type
	seq       uint16
	timestamp uint32
	ssrc      uint32
	extension []byte // of the one-byte form; nil when there is none
	padding   bool
}

var errShort = errors.New("packet is cut off")

// https://www.rfc-editor.org/rfc/rfc3550#section-5.1
func parseHeader(b []byte) (header, error) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return header{}, errShort
	}
	h := header{
		size: 12 + 4*int(b[0]&15), marker: b[1]&0x80 != 0, kind: b[1] & 0x7f,
		padding: b[0]&0x20 != 0,
		seq:     binary.BigEndian.Uint16(b[2:]), timestamp: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]),
	}
	if b[0]&0x10 != 0 {
		if len(b) < h.size+4 {
			return header{}, errShort
		}
		profile, words := binary.BigEndian.Uint16(b[h.size:]), int(binary.BigEndian.Uint16(b[h.size+2:]))
		start := h.size + 4
		h.size = start + 4*words
		if len(b) >= h.size && profile == 0xbede {
			h.extension = b[start:h.size]
		}
	}
	if len(b) < h.size {
		return header{}, errShort
	}
	return h, nil
}

// find returns the value of one header extension, nil when it is not there.
// https://www.rfc-editor.org/rfc/rfc8285#section-4.2
func (h header) find(id uint8) []byte {
	for e := h.extension; len(e) > 0; {
		if e[0] == 0 {
			e = e[1:]
			continue
		}
		size := int(e[0]&15) + 1
		if e[0]>>4 == 15 || len(e) < 1+size {
			return nil
		}
		if e[0]>>4 == id {
			return e[1 : 1+size]
		}
		e = e[1+size:]
	}
	return nil
}
