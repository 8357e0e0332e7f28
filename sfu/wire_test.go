package sfu

import (
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"carillon/refusal"
	"carillon/sfu/sfutest"
)

func TestLossToASubscriberIsRepairedFromThePacketBuffer(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a := join(t, r, "alice", sfutest.Config{NoMicrophone: true})
	var n atomic.Int32
	b := join(t, r, "bob", sfutest.Config{Lose: func(b []byte, incoming bool) bool {
		return incoming && sfutest.IsRTP(b) && n.Add(1)%11 == 10
	}})
	a.Talk(30)
	b.gets(t, a, Camera)
	slot, _ := b.listener.shows("alice", Camera)
	until(t, "fifty packets are repaired and none is missing", func() bool {
		in := b.Slot(slot.MID)
		if err := in.Ask(); err != nil {
			t.Fatal(err)
		}
		c := in.Counts()
		return c.Repaired >= 50 && c.Missing <= 3 // the newest are under way
	})
	b.smooth(t)
	if got := s.metrics.repairs.Load(); got < 50 {
		t.Errorf("counted %d repairs", got)
	}
}

func TestLossFromAPublisherIsAskedForAgain(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	a.Talk(30)
	b.gets(t, a, Camera)
	for range 5 {
		a.Camera[0].Skip(2)
		b.gets(t, a, Camera)
	}
	slot, _ := b.listener.shows("alice", Camera)
	until(t, "ten packets are asked for and come", func() bool {
		return a.Camera[0].Nacks.Load() >= 10 && b.Slot(slot.MID).Counts().Missing == 0
	})
	duplicates := s.metrics.dropDuplicate.Load()
	for range 20 {
		a.Camera[0].Again(5) // as RTX: a browser probes the bandwidth
	}
	until(t, "repeated packets are recognised", func() bool { return s.metrics.dropDuplicate.Load() >= duplicates+20 })
	if c := b.Slot(slot.MID).Counts(); c.Doubled > 0 {
		t.Errorf("%d packets were forwarded twice", c.Doubled)
	}
	b.smooth(t)
}

func TestKeyFrameRequestsAreMerged(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	a.Talk(30)
	b.gets(t, a, Camera)
	slot, _ := b.listener.shows("alice", Camera)
	plis, keys := a.Camera[0].PLIs.Load(), b.Slot(slot.MID).Counts().Keys
	in := s.metrics.plisIn.Load()
	for range 100 {
		if err := b.Slot(slot.MID).AskKey(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the requests arrive and a key frame comes", func() bool {
		return s.metrics.plisIn.Load() >= in+100 && b.Slot(slot.MID).Counts().Keys > keys
	})
	if got := a.Camera[0].PLIs.Load() - plis; got > 3 {
		t.Errorf("100 requests became %d", got)
	}
}

func TestREDLosesItsRedundancyForWhoCannotReadIt(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a := join(t, r, "alice", sfutest.Config{RED: true, NoCamera: true})
	reads, plain := join(t, r, "reads", sfutest.Config{NoMicrophone: true, NoCamera: true}), join(t, r, "plain", sfutest.Config{NoRED: true, NoMicrophone: true, NoCamera: true})
	a.Talk(30)
	for _, c := range []struct {
		p    *person
		pt   uint8
		size int
	}{{reads, 43, 89}, {plain, 45, 80}} {
		c.p.gets(t, a, Microphone)
		slot, _ := c.p.listener.shows("alice", Microphone)
		if got := c.p.Slot(slot.MID).Counts(); got.PT != c.pt || got.Size != c.size {
			t.Errorf("%s got payload type %d of %d bytes, want %d of %d", c.p.name, got.PT, got.Size, c.pt, c.size)
		}
	}
}

func TestGarbageOnTheMediaPortsDisturbsNobody(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	a.Talk(30)
	b.gets(t, a, Camera)
	media, tcp := s.Addresses()
	for network, to := range map[string]string{"udp": media.String(), "tcp": tcp.String()} {
		conn, err := net.Dial(network, to)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for i := range 500 {
			g := make([]byte, rand.IntN(1500))
			for j := range g {
				g[j] = byte(rand.Uint32())
			}
			switch {
			case len(g) > 20 && i%3 == 0: // looks like STUN
				binary.BigEndian.PutUint16(g, 1)
				binary.BigEndian.PutUint16(g[2:], uint16(len(g)-20))
				binary.BigEndian.PutUint32(g[4:], 0x2112a442)
			case len(g) > 12 && i%3 == 1: // looks like RTP
				g[0] = 0x90
			}
			if _, err := conn.Write(g); err != nil {
				break // TCP: the server has hung up
			}
		}
	}
	b.gets(t, a, Camera)
	c := join(t, r, "carol", sfutest.Config{TCP: true})
	c.gets(t, a, Camera)
	b.smooth(t)
}

func TestChatAndLossyChannels(t *testing.T) {
	s := start(t, Config{LossyPerSecond: 10, LossyBytes: 100, MessageBytes: 1000})
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	until(t, "chat is handed up", func() bool { return a.listener.chat() != nil && b.listener.chat() != nil })
	heard := make(chan string, 1000)
	a.Chat.OnMessage(func(m webrtc.DataChannelMessage) { heard <- string(m.Data) })
	b.Lossy.OnMessage(func(m webrtc.DataChannelMessage) { heard <- string(m.Data) })
	if err := a.Chat.SendText("up"); err != nil {
		t.Fatal(err)
	}
	if m, err := a.listener.chat().ReadMessage(); err != nil || string(m) != "up" {
		t.Errorf("read %q, %v", m, err)
	}
	if err := a.listener.chat().WriteMessage([]byte("down")); err != nil {
		t.Error(err)
	}
	if m := <-heard; m != "down" {
		t.Errorf("heard %q", m)
	}
	until(t, "the lossy channels are open", func() bool { return a.peer.lossy.Load() != nil && b.peer.lossy.Load() != nil })
	if err := a.Lossy.SendText("cursor"); err != nil {
		t.Fatal(err)
	}
	if m := <-heard; m != "cursor" {
		t.Errorf("heard %q", m)
	}
	_ = a.Lossy.SendText(strings.Repeat("x", 101))
	for range 50 {
		_ = a.Lossy.SendText("flood")
	}
	until(t, "the flood and the large one are dropped", func() bool { return s.metrics.dropLossy.Load() > 30 })
	for len(heard) > 0 {
		if m := <-heard; m != "flood" {
			t.Errorf("heard %.20q", m)
		}
	}
	if err := a.Chat.SendText(strings.Repeat("x", 2000)); err == nil {
		t.Error("the client does not know the limit")
	}
	if err := b.listener.chat().Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.listener.chat().ReadMessage(); err == nil {
		t.Error("read from a closed channel")
	}
}

func TestASecondChatChannelEndsTheFirst(t *testing.T) {
	s := start(t, Config{})
	a := join(t, s.Room("call"), "alice", sfutest.Config{})
	until(t, "chat is handed up", func() bool { return a.listener.chat() != nil })
	second, err := a.PC.CreateDataChannel("chat", nil)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan struct{})
	second.OnOpen(func() { close(opened) })
	if _, err := a.listener.chat().ReadMessage(); err == nil {
		t.Error("the first channel lives on")
	}
	<-opened
	if err := second.SendText("here"); err != nil {
		t.Fatal(err)
	}
	var newest Channel
	until(t, "the second is handed up", func() bool {
		a.listener.mu.Lock()
		defer a.listener.mu.Unlock()
		newest = a.listener.channels[len(a.listener.channels)-1]
		return len(a.listener.channels) == 2
	})
	if m, err := newest.ReadMessage(); err != nil || string(m) != "here" {
		t.Errorf("read %q, %v", m, err)
	}
}

func TestLimitsAreTypedRefusals(t *testing.T) {
	s := start(t, Config{SDPBytes: 20_000, PeerSources: 2, AudioSlots: 3, VideoSlots: 2, RoomPeers: 2})
	r := s.Room("call")
	for name, c := range map[string]struct {
		cfg  sfutest.Config
		want refusal.Code
	}{
		"sources":     {sfutest.Config{Screen: true}, refusal.TooLarge},
		"audio slots": {sfutest.Config{AudioSlots: 4}, refusal.TooLarge},
		"video slots": {sfutest.Config{VideoSlots: 3}, refusal.TooLarge},
		"bytes":       {sfutest.Config{VideoSlots: 60}, refusal.TooLarge},
	} {
		p, err := r.Join(name, name, nobody, &listener{})
		if err != nil {
			t.Fatal(err)
		}
		client, err := sfutest.New(c.cfg, p.Offer)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Dial(t.Context()); !refusal.Is(err, c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		_ = client.Close()
		_ = p.Close()
	}
	r = s.Room("call")
	for _, leg := range []string{"1", "2"} {
		p, err := r.Join(leg, leg, nobody, &listener{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
	}
	if _, err := r.Join("3", "3", nobody, &listener{}); !refusal.Is(err, refusal.Busy) {
		t.Errorf("a third peer in a room for two: got %v", err)
	}
	_ = s.Close()
	if _, err := s.Room("other").Join("1", "1", nobody, &listener{}); !refusal.Is(err, refusal.Busy) {
		t.Errorf("join after close: got %v", err)
	}
}

func TestNonsenseOffersAreRefusedAndThePeerLives(t *testing.T) {
	s := start(t, Config{})
	r := s.Room("call")
	a, b := join(t, r, "alice", sfutest.Config{}), join(t, r, "bob", sfutest.Config{})
	a.Talk(30)
	b.gets(t, a, Camera)
	good := b.PC.LocalDescription().SDP
	for name, text := range nonsense(good) {
		p, err := r.Join("x", "x", nobody, &listener{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Offer(t.Context(), text); !refusal.Is(err, refusal.BadSDP) && !refusal.Is(err, refusal.TooLarge) {
			t.Errorf("%s: got %v", name, err)
		}
		_ = p.Close()
		if _, err := b.peer.Offer(t.Context(), text); err == nil {
			t.Errorf("%s as a second offer was answered", name)
		}
		if b.listener.is(MediaDown) {
			t.Errorf("%s ended a running call", name)
			break
		}
	}
	b.gets(t, a, Camera)
}

func nonsense(good string) map[string]string {
	head, _, _ := strings.Cut(good, "m=")
	return map[string]string{
		"empty":         "",
		"prose":         "hello",
		"no lines":      head,
		"no mid":        strings.ReplaceAll(good, "a=mid:", "a=dim:"),
		"same mid":      strings.ReplaceAll(strings.ReplaceAll(good, "a=mid:1\r", "a=mid:0\r"), "a=mid:2\r", "a=mid:0\r"),
		"no ufrag":      strings.ReplaceAll(good, "a=ice-ufrag:", "a=x-ufrag:"),
		"no password":   strings.ReplaceAll(good, "a=ice-pwd:", "a=x-pwd:"),
		"odd kind":      strings.Replace(good, "m=audio", "m=smell", 1),
		"only a header": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
		"many lines":    good + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\n", 50),
		"oversized":     good + strings.Repeat("a=x:y\r\n", 20_000),
		"ice-lite":      strings.Replace(good, "t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n", 1),
		"two channels":  good + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:z\r\n",
	}
}

func FuzzOffer(f *testing.F) {
	s, err := New(Config{NoTCP: true}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	c, err := sfutest.New(sfutest.Config{Simulcast: true}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = c.Close() })
	offer, err := c.PC.CreateOffer(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(offer.SDP)
	for _, text := range nonsense(offer.SDP) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := s.Room("fuzz").Join("leg", "x", nobody, &listener{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		answer, err := p.Offer(t.Context(), text)
		if _, known := refusal.Of(err); err != nil && !known {
			t.Errorf("an error that is no refusal: %v", err)
		}
		if err == nil && answer == "" {
			t.Error("an empty answer")
		}
	})
}

func TestAnswersAreWhatChromiumNeeds(t *testing.T) {
	s := start(t, Config{Advertise: []string{"192.0.2.7"}})
	p, err := s.Room("call").Join("leg", "alice", nobody, &listener{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c, err := sfutest.New(sfutest.Config{Simulcast: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	offer, err := c.PC.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.PC.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	answer, err := p.Offer(t.Context(), c.PC.LocalDescription().SDP)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a=ice-lite", "192.0.2.7", "tcptype passive", "a=setup:passive", "usedtx=1", "a=simulcast:recv q;h;f", "transport-cc"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %q", want)
		}
	}
	if strings.Contains(answer, " 127.0.0.1 ") { // as in a candidate, between its priority and its port
		t.Error("the answer shows the bound address besides the advertised one")
	}
	if strings.Contains(answer, "a=inactive") {
		t.Error("a line is inactive, which ends it for good")
	}
	for _, m := range strings.Split(answer, "m=")[1:] {
		_, group, ok := strings.Cut(m, "a=ssrc-group:FID ")
		if !ok {
			continue
		}
		primary, _, _ := strings.Cut(group, " ")
		_, first, _ := strings.Cut(m, "a=ssrc:")
		if !strings.HasPrefix(first, primary+" ") {
			t.Errorf("the first ssrc is not the primary %s: %.40s", primary, first)
		}
	}
}

func TestMetricsHaveTheirNames(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := New(Config{}, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	for _, f := range families {
		have[f.GetName()] = true
	}
	for _, want := range []string{
		"carillon_sfu_peers", "carillon_sfu_rooms", "carillon_sfu_packets_total", "carillon_sfu_dropped_total",
		"carillon_sfu_nacks_total", "carillon_sfu_plis_total", "carillon_sfu_consent_total", "carillon_udp_send_batch",
	} {
		if !have[want] {
			t.Errorf("no %s", want)
		}
	}
}
