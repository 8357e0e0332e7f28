package load

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

const handshakeTimeout = 10 * time.Second

func (p *Peer) connectDTLS(ctx context.Context) error {
	options := []dtls.Option{
		dtls.WithCertificates(p.cert),
		dtls.WithInsecureSkipVerify(true), // WebRTC verifies the fingerprint instead
		dtls.WithVerifyPeerCertificate(p.verify),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithFlightInterval(200 * time.Millisecond),
		dtls.WithDisableRetransmitBackoff(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
	}
	var err error
	if p.answer.active {
		server := make([]dtls.ServerOption, 0, len(options)+1)
		for _, o := range options {
			server = append(server, o)
		}
		p.dtls, err = dtls.ServerWithOptions(p.dtlsPackets, p.dtlsPackets, append(server, dtls.WithClientAuth(dtls.RequireAnyClientCert))...)
	} else {
		client := make([]dtls.ClientOption, 0, len(options))
		for _, o := range options {
			client = append(client, o)
		}
		p.dtls, err = dtls.ClientWithOptions(p.dtlsPackets, p.dtlsPackets, client...)
	}
	if err != nil {
		return fmt.Errorf("dtls: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, fmt.Errorf("waited %s", handshakeTimeout))
	defer cancel()
	if err := p.dtls.HandshakeContext(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return fmt.Errorf("dtls handshake: %w", err)
	}
	return p.installKeys()
}

func (p *Peer) verify(raw [][]byte, _ [][]*x509.Certificate) error {
	if len(raw) == 0 {
		return fmt.Errorf("the server shows no certificate")
	}
	hash, want, _ := strings.Cut(p.answer.fingerprint, " ")
	if !strings.EqualFold(hash, "sha-256") {
		return nil // another hash function: the media is made up, so nothing is to be protected
	}
	if got := fingerprintOf(raw[0]); !strings.EqualFold(got, want) {
		return fmt.Errorf("the server's certificate is not the one of its answer")
	}
	return nil
}

func (p *Peer) installKeys() error {
	selected, ok := p.dtls.SelectedSRTPProtectionProfile()
	if !ok {
		return fmt.Errorf("dtls: no SRTP profile in common")
	}
	state, ok := p.dtls.ConnectionState()
	if !ok {
		return fmt.Errorf("dtls: no keys to export")
	}
	config := srtp.Config{Profile: srtp.ProtectionProfile(selected)}
	if err := config.ExtractSessionKeysFromDTLS(&state, !p.answer.active); err != nil {
		return fmt.Errorf("srtp keys: %w", err)
	}
	var err error
	keys := config.Keys
	if p.encryptRTP, err = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, config.Profile); err != nil {
		return fmt.Errorf("srtp: %w", err)
	}
	if p.encryptRTCP, err = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, config.Profile); err != nil {
		return fmt.Errorf("srtp: %w", err)
	}
	d, err := newDecrypter(keys.RemoteMasterKey, keys.RemoteMasterSalt, config.Profile)
	if err != nil {
		return err
	}
	m := p.transport.meter()
	m.mu.Lock()
	defer m.mu.Unlock()
	p.inbound.beginLocked(p, d)
	return nil
}
