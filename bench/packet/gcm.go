package packet

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// GCM seals and opens SRTP packets with an AEAD_AES_GCM profile (RFC 7714). It keeps
// no state between packets: the caller says which roll-over a number belongs to, so
// it may open only a sample of a stream. One goroutine at a time.
type GCM struct {
	aead cipher.AEAD
	salt [12]byte

	scratch [12]byte // on the stack a nonce would escape through the interface
}

// TagSize is by how many bytes a sealed packet is longer.
const TagSize = 16

// NewGCM derives the session key and salt from a master key (16 or 32 bytes) and salt (12).
func NewGCM(masterKey, masterSalt []byte) (*GCM, error) {
	var g GCM
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
func (g *GCM) nonce(ssrc uint32, number int64) []byte {
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

// Open decrypts a packet's payload in place and returns it. header is the size of its header,
// number its extended sequence number.
func (g *GCM) Open(packet []byte, header int, ssrc uint32, number int64) ([]byte, error) {
	return g.aead.Open(packet[header:header], g.nonce(ssrc, number), packet[header:], packet[:header])
}

// Seal encrypts payload behind the header that dst begins with and returns the whole packet.
func (g *GCM) Seal(dst []byte, header int, payload []byte, ssrc uint32, number int64) []byte {
	return g.aead.Seal(dst[:header], g.nonce(ssrc, number), payload, dst[:header])
}
