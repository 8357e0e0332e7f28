package signaling

import (
	"encoding/json"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"carillon/chat"
	"carillon/wire"
)

// phone is a real WebRTC peer with a microphone, three places for voices and the chat
// channel.
type phone struct {
	observed
	pc   *webrtc.PeerConnection
	mic  *webrtc.TrackLocalStaticSample
	chat *webrtc.DataChannel
	stop chan struct{}
	wg   sync.WaitGroup
	once sync.Once

	heard  int // packets of others
	state  webrtc.PeerConnectionState
	frames []wire.Frame // from the chat channel
	next   int64
	open   bool
}

func newPhone(t testing.TB) *phone {
	t.Helper()
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	var codecs webrtc.MediaEngine
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(&codecs)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{observed: observe(t), pc: pc, stop: make(chan struct{})}
	t.Cleanup(p.close)
	if p.mic, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "mic", "me"); err != nil {
		t.Fatal(err)
	}
	only := func(d webrtc.RTPTransceiverDirection) webrtc.RTPTransceiverInit {
		return webrtc.RTPTransceiverInit{Direction: d}
	}
	if _, err := pc.AddTransceiverFromTrack(p.mic, only(webrtc.RTPTransceiverDirectionSendonly)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, only(webrtc.RTPTransceiverDirectionRecvonly)); err != nil {
			t.Fatal(err)
		}
	}
	if p.chat, err = pc.CreateDataChannel("chat", nil); err != nil {
		t.Fatal(err)
	}
	p.chat.OnOpen(func() { p.note(func() { p.open = true }) })
	p.chat.OnMessage(func(m webrtc.DataChannelMessage) {
		for line := range strings.Lines(string(m.Data)) {
			var f wire.Frame
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Errorf("data channel: %v in %s", err, line)
			}
			p.note(func() { p.frames = append(p.frames, f) })
		}
	})
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		p.wg.Go(func() {
			for {
				if _, _, err := track.ReadRTP(); err != nil {
					return
				}
				p.note(func() { p.heard++ })
			}
		})
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { p.note(func() { p.state = s }) })
	return p
}

// connect negotiates over the tab, as its leg, and begins to speak.
func (p *phone) connect(tb *tab, leg wire.CallLeg) {
	p.t.Helper()
	p.negotiate(tb, leg)
	p.await("connected", func() bool { return p.state == webrtc.PeerConnectionStateConnected })
	p.wg.Go(p.speak)
}

func (p *phone) negotiate(tb *tab, leg wire.CallLeg) {
	p.t.Helper()
	answer, err := tb.Offer(p.t.Context(), leg, p.offer())
	if err != nil {
		p.t.Fatalf("offer: %v", err)
	}
	p.accept(answer)
}

func (p *phone) offer() string {
	p.t.Helper()
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		p.t.Fatal(err)
	}
	return offer.SDP
}

func (p *phone) accept(answer string) {
	p.t.Helper()
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) speak() {
	const frame = 20 * time.Millisecond
	t := time.NewTicker(frame)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			_ = p.mic.WriteSample(media.Sample{Data: []byte{0xfc, 1, 2, 3, 4, 5, 6, 7}, Duration: frame})
		}
	}
}

// hears waits for more packets of somebody else.
func (p *phone) hears(what string) {
	p.t.Helper()
	p.mu.Lock()
	before := p.heard
	p.mu.Unlock()
	p.await(what, func() bool { return p.heard > before+5 })
}

// say sends a message over the chat channel and returns its result.
func (p *phone) say(conversation, text string) (m chat.Message) {
	p.t.Helper()
	p.await("chat channel open", func() bool { return p.open })
	p.mu.Lock()
	p.next++
	id := p.next
	p.mu.Unlock()
	params, err := json.Marshal(wire.MessageSend{Conversation: conversation, ClientID: "over-" + strings.ReplaceAll(text, " ", "-"), Kind: chat.Text, Text: text})
	if err != nil {
		p.t.Fatal(err)
	}
	data, err := json.Marshal(wire.Frame{JSONRPC: "2.0", ID: &id, Method: wire.MethodMessageSend, Params: params})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.chat.SendText(string(data)); err != nil {
		p.t.Fatal(err)
	}
	p.await("answer to "+text, func() bool {
		for _, f := range p.frames {
			if f.ID != nil && *f.ID == id && f.Method == "" {
				if f.Error != nil {
					p.t.Fatalf("send over the data channel: %+v", f.Error)
				}
				m = decoded[chat.Message](p.t, decoded[wire.Change](p.t, f.Result).Data)
				return true
			}
		}
		return false
	})
	return m
}

func (p *phone) close() {
	p.once.Do(func() {
		if p.t.Failed() {
			p.note(func() { p.t.Logf("a phone whose connection is %s has heard %d packets", p.state, p.heard) })
		}
		close(p.stop)
		if err := p.pc.GracefulClose(); err != nil {
			p.t.Error(err)
		}
		p.wg.Wait()
	})
}
