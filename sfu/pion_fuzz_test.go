package sfu

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sctp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/dpipe"
	"github.com/pion/webrtc/v4"

	"carillon/sfu/sfutest"
)

// What members send inside DTLS, and what comes before it, is parsed by pion in goroutines of
// its own, where a panic would end the server and not only the peer. It has caps, but no input
// may do that.

// watched shows what is written to a connection.
type watched struct {
	net.Conn
	sent func([]byte)
}

func (w watched) Write(b []byte) (int, error) {
	w.sent(b)
	return w.Conn.Write(b)
}

// marked closes seen when it has read a datagram of one byte, which it keeps to itself: whoever
// reads has then handled all that came before.
type marked struct {
	net.Conn
	seen chan struct{}
}

func (m marked) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if n != 1 {
		return n, err
	}
	close(m.seen)
	return m.Conn.Read(b)
}

var noLog = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}

// FuzzSCTP sends chunks of any bytes, in packets whose tag and checksum are right, to an
// association that is open, with the reader of data channels behind it.
func FuzzSCTP(f *testing.F) {
	f.Add([]byte{0, 3, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 50, 'a', 'b', 'c', 0})                          // DATA with DCEP's protocol id
	f.Add([]byte{0, 3, 0, 28, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 50, 3, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 9})  // OPEN with a label that is too long
	f.Add([]byte{192, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}) // FORWARD TSN, SACK
	f.Add([]byte{130, 0, 0, 16, 0, 13, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 7, 0, 0, 8, 0, 0, 0, 0, 14, 0, 0, 4})    // RE-CONFIG, SHUTDOWN
	f.Add([]byte{4, 0, 0, 8, 0, 1, 0, 4, 6, 0, 0, 4, 10, 0, 0, 4, 1, 0, 0, 20})                                // HEARTBEAT, ABORT, COOKIE ECHO, INIT
	f.Fuzz(func(t *testing.T, chunks []byte) {
		if len(chunks) > 1200 {
			return
		}
		near, far := dpipe.Pipe()
		var mu sync.Mutex
		var head []byte // of the newest packet of the client: ports and the server's tag
		client := watched{near, func(b []byte) {
			mu.Lock()
			defer mu.Unlock()
			if len(b) >= 12 && binary.BigEndian.Uint32(b[4:]) != 0 {
				head = append(head[:0], b[:8]...)
			}
		}}
		end := marked{far, make(chan struct{})}
		opened := make(chan *sctp.Association, 1)
		go func() {
			a, err := sctp.ClientWithOptions(sctp.WithNetConn(client), sctp.WithLoggerFactory(noLog))
			if err != nil {
				a = nil
			}
			opened <- a // one, for which there is room
		}()
		server, err := sctp.ServerWithOptions(sctp.WithNetConn(end), sctp.WithLoggerFactory(noLog), sctp.WithMaxMessageSize(65536))
		association := <-opened
		if err != nil || association == nil {
			t.Fatalf("no association: %v", err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				channel, err := datachannel.Accept(server, &datachannel.Config{LoggerFactory: noLog})
				if err != nil {
					return
				}
				_ = channel.Close()
			}
		}()
		mu.Lock()
		packet := append(append(append([]byte(nil), head...), 0, 0, 0, 0), chunks...)
		mu.Unlock()
		binary.LittleEndian.PutUint32(packet[8:], crc32.Checksum(packet, crc32.MakeTable(crc32.Castagnoli)))
		for range 2 { // the second time it is a duplicate
			_, _ = near.Write(packet)
		}
		_, _ = near.Write([]byte{0})
		select {
		case <-end.seen:
		case <-ended: // the association ended before
		}
		_ = association.Close()
		_ = server.Close()
		_ = near.Close()
		_ = far.Close()
		<-ended
	})
}

// FuzzHandshake sends datagrams of any bytes to a server of DTLS that has just begun, as an
// address can that made a connectivity check.
func FuzzHandshake(f *testing.F) {
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		f.Fatal(err)
	}
	hello := []byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	f.Add(append([]byte{byte(len(hello))}, hello...))
	f.Add([]byte{3, 22, 0xfe, 0xfd, 5, 20, 0xfe, 0xfd, 0, 1})
	f.Fuzz(func(t *testing.T, datagrams []byte) {
		near, far := dpipe.Pipe()
		end := marked{far, make(chan struct{})}
		server, err := dtls.ServerWithOptions(dtlsnet.PacketConnFromConn(end), far.RemoteAddr(), dtls.WithCertificates(certificate), dtls.WithInsecureSkipVerifyHello(true), dtls.WithLoggerFactory(noLog))
		if err != nil {
			t.Fatal(err)
		}
		// Each is preceded by its length.
		for count := 0; len(datagrams) > 0 && count < 100; count++ {
			n := min(int(datagrams[0]), len(datagrams)-1)
			if n > 1 {
				_, _ = near.Write(datagrams[1 : 1+n])
			}
			datagrams = datagrams[1+n:]
		}
		_, _ = near.Write([]byte{0})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { // ends when all was read, or with the test
			select {
			case <-end.seen:
			case <-t.Context().Done():
			}
			cancel()
		}()
		if server.HandshakeContext(ctx) == nil {
			t.Error("a handshake was complete without a client")
		}
		_ = server.Close()
		_ = near.Close()
		_ = far.Close()
	})
}

// FuzzSRTP decrypts packets of any bytes, as they come from whoever forges the address of a peer.
func FuzzSRTP(f *testing.F) {
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 2, 0x10, '0', 0x20, 'q', 0, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{0x80, 200, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	f.Add([]byte{0xbf, 200})
	profiles := []srtp.ProtectionProfile{srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm, srtp.ProtectionProfileAes128CmHmacSha1_80}
	var contexts []*srtp.Context
	for _, profile := range profiles {
		key, err := profile.KeyLen()
		if err != nil {
			f.Fatal(err)
		}
		salt, err := profile.SaltLen()
		if err != nil {
			f.Fatal(err)
		}
		c, err := srtp.CreateContext(make([]byte, key), make([]byte, salt), profile, srtp.SRTPReplayProtection(64), srtp.SRTCPReplayProtection(64))
		if err != nil {
			f.Fatal(err)
		}
		contexts = append(contexts, c)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, c := range contexts {
			if plain, err := c.DecryptRTP(nil, b, nil); err == nil && len(plain) > len(b) {
				t.Errorf("%v: %d bytes became %d", profiles[i], len(b), len(plain))
			}
			if plain, err := c.DecryptRTCP(nil, b, nil); err == nil && len(plain) > len(b) {
				t.Errorf("%v: %d bytes became %d", profiles[i], len(b), len(plain))
			}
		}
	})
}

// FuzzMember sends RTP and RTCP of any bytes as a member does, encrypted, to a room with
// another member.
func FuzzMember(f *testing.F) {
	s := start(f, Config{NoTCP: true})
	alice := join(f, s.Room("call"), "alice", sfutest.Config{NoChannels: true})
	mallory := prepareAs(f, s.Room("call"), "leg-mallory", "mallory", sfutest.Config{NoChannels: true, Simulcast: true})
	track := &rawTrack{bound: make(chan webrtc.TrackLocalWriter, 1)}
	if _, err := mallory.PC.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		f.Fatal(err)
	}
	if err := mallory.Dial(f.Context()); err != nil {
		f.Fatal(err)
	}
	alice.Talk(30)
	mallory.Talk(30)
	alice.gets(f, mallory, Camera)
	out := <-track.bound
	ssrc := uint32(0)
	for _, r := range mallory.PC.GetReceivers() {
		if r.Track() != nil && r.Track().Kind() == webrtc.RTPCodecTypeVideo {
			ssrc = uint32(r.Track().SSRC())
		}
	}
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 2, 0x10, '0', 0x20, 'q', 0, 0, 0, 0, 0x90})
	f.Add([]byte{0x90, 48, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0x10, 0x00, 0, 1, 4, 1, '1', 0, 0})
	for _, p := range []rtcp.Packet{
		&rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: []rtcp.NackPair{{PacketID: 3, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{MediaSSRC: ssrc}, &rtcp.Goodbye{Sources: []uint32{ssrc}},
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: ssrc, FractionLost: 255}}},
		&rtcp.SenderReport{SSRC: ssrc}, &rtcp.SourceDescription{}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: ssrc}}},
	} {
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1100 {
			return
		}
		var packet rtp.Packet
		if packets, err := rtcp.Unmarshal(b); err == nil {
			_ = mallory.PC.WriteRTCP(packets)
		} else if packet.Unmarshal(b) == nil {
			_, _ = out.WriteRTP(&packet.Header, packet.Payload)
		}
	})
	alice.gets(f, mallory, Camera) // in the end everything is as before
}

// rawTrack hands over the writer of a line, which sends whatever it is given.
type rawTrack struct{ bound chan webrtc.TrackLocalWriter }

func (r *rawTrack) ID() string                            { return "raw" }
func (r *rawTrack) RID() string                           { return "" }
func (r *rawTrack) StreamID() string                      { return "raw" }
func (r *rawTrack) Kind() webrtc.RTPCodecType             { return webrtc.RTPCodecTypeVideo }
func (r *rawTrack) Unbind(webrtc.TrackLocalContext) error { return nil }
func (r *rawTrack) Bind(t webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	select {
	case r.bound <- t.WriteStream():
	default:
	}
	return t.CodecParameters()[0], nil
}
