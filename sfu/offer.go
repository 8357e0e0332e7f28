package sfu

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"carillon/refusal"
	"carillon/sfu/consent"
)

// line is an audio or video line of an offer.
type line struct {
	mid      string
	audio    bool
	sends    bool // the client sends on it
	receives bool // the client receives on it
}

// offer is what the server takes from the text of an offer.
type offer struct {
	lines []line
	ice   consent.Credentials // of the client
	sdp   string              // what pion is to see
}

// readOffer checks an offer, before pion sees it. An error is a refusal that says what is
// wrong.
func readOffer(text string, cfg *Config) (o offer, err error) {
	if len(text) > cfg.SDPBytes {
		return o, refusal.New(refusal.TooLarge, "The offer has %d bytes; at most %d are accepted.", len(text), cfg.SDPBytes)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return o, refusal.New(refusal.BadSDP, "The offer is not SDP.")
	}
	if o.lines, err = readLines(&d, cfg); err != nil {
		return o, err
	}
	o.ice = credentials(&d)
	withoutCandidates(&d)
	b, err := d.Marshal()
	if err != nil {
		return o, refusal.New(refusal.BadSDP, "The offer is not SDP.")
	}
	o.sdp = string(b)
	return o, nil
}

// credentials returns those that pion takes, which are those of the session, else those of
// the line whose transport all lines use: the first of the bundle, or the first of all.
// https://www.rfc-editor.org/rfc/rfc9143#section-7.2
func credentials(d *sdp.SessionDescription) consent.Credentials {
	ufrag, _ := d.Attribute("ice-ufrag")
	password, _ := d.Attribute("ice-pwd")
	if ufrag != "" {
		return consent.Credentials{Ufrag: ufrag, Password: password}
	}
	lines := d.MediaDescriptions
	group, _ := d.Attribute("group")
	if bundle := strings.Fields(group); len(bundle) > 1 && bundle[0] == "BUNDLE" {
		first := slices.IndexFunc(lines, func(m *sdp.MediaDescription) bool {
			mid, _ := m.Attribute("mid")
			return mid == bundle[1]
		})
		lines = lines[max(0, first):]
	}
	for _, m := range lines {
		ufrag, _ = m.Attribute("ice-ufrag")
		password, _ = m.Attribute("ice-pwd")
		if ufrag != "" { // a line that an answer refuses has none
			break
		}
	}
	return consent.Credentials{Ufrag: ufrag, Password: password}
}

// withoutCandidates takes the candidates out of an offer. The addresses in it may be
// anybody's, pion connects to those of ICE-TCP, and an agent that only answers needs none:
// the client's checks come from where it is.
// https://www.rfc-editor.org/rfc/rfc8445#section-2.5
func withoutCandidates(d *sdp.SessionDescription) {
	candidate := func(a sdp.Attribute) bool { return strings.TrimSpace(a.Key) == "candidate" }
	d.Attributes = slices.DeleteFunc(d.Attributes, candidate)
	for _, m := range d.MediaDescriptions {
		m.Attributes = slices.DeleteFunc(m.Attributes, candidate)
	}
}

// lite returns whether one of the attributes says that the offer is of an ICE-lite agent.
func lite(attributes []sdp.Attribute) bool {
	return slices.ContainsFunc(attributes, func(a sdp.Attribute) bool { return strings.TrimSpace(a.Key) == sdp.AttrKeyICELite })
}

// readLines checks the lines of an offer and returns those of audio and video.
func readLines(d *sdp.SessionDescription, cfg *Config) ([]line, error) {
	// Of two lite agents neither checks the other, and pion sends media to whatever address
	// the offer names.
	if lite(d.Attributes) || slices.ContainsFunc(d.MediaDescriptions, func(m *sdp.MediaDescription) bool { return lite(m.Attributes) }) {
		return nil, refusal.New(refusal.BadSDP, "The offer is of an ICE-lite agent. The server is one, too: it needs a client that checks.")
	}
	var lines []line
	var sending, audio, video, channels int
	seen := make(map[string]bool)
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		switch {
		case mid == "" || len(mid) > 32:
			return nil, refusal.New(refusal.BadSDP, "A media line of the offer has no mid, or one that is too long.")
		case seen[mid]:
			return nil, refusal.New(refusal.BadSDP, "Two media lines of the offer have the same mid.")
		}
		seen[mid] = true
		// Without these pion fails when it has applied half the offer, and cannot go back.
		for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
			_, here := m.Attribute(key)
			if _, above := d.Attribute(key); !here && !above {
				return nil, refusal.New(refusal.BadSDP, "A media line of the offer has no %s.", key)
			}
		}
		kind := m.MediaName.Media
		if kind == "application" {
			channels++
			continue
		}
		if kind != "audio" && kind != "video" {
			return nil, refusal.New(refusal.BadSDP, "The offer has a media line that is neither audio nor video nor data.")
		}
		l := line{mid: mid, audio: kind == "audio", sends: true, receives: true}
		for _, a := range m.Attributes {
			switch a.Key {
			case "sendonly":
				l.receives = false
			case "recvonly":
				l.sends = false
			case "inactive":
				l.sends, l.receives = false, false
			}
		}
		if l.sends {
			sending++
		}
		if l.receives && l.audio {
			audio++
		} else if l.receives {
			video++
		}
		lines = append(lines, l)
	}
	switch {
	case len(seen) == 0:
		return nil, refusal.New(refusal.BadSDP, "The offer has no media line.")
	case channels > 1:
		return nil, refusal.New(refusal.BadSDP, "The offer has more than one line for data channels.")
	case sending > cfg.PeerSources:
		return nil, refusal.New(refusal.TooLarge, "The offer sends on %d lines; at most %d are accepted.", sending, cfg.PeerSources)
	case audio > cfg.AudioSlots:
		return nil, refusal.New(refusal.TooLarge, "The offer asks for %d audio slots; there are at most %d.", audio, cfg.AudioSlots)
	case video > cfg.VideoSlots:
		return nil, refusal.New(refusal.TooLarge, "The offer asks for %d video slots; there are at most %d.", video, cfg.VideoSlots)
	}
	return lines, nil
}

// kinds returns the kind of source of each sending line, by mid. The first line of each
// medium is the microphone and the camera, the second belongs to a shared screen.
func kinds(lines []line) map[string]SourceKind {
	audio, video := []SourceKind{Microphone, ScreenAudio}, []SourceKind{Camera, Screen}
	named := make(map[string]SourceKind)
	for _, l := range lines {
		rest := &video // the kinds of this medium that no line has yet
		if l.audio {
			rest = &audio
		}
		if !l.sends || len(*rest) == 0 {
			continue
		}
		named[l.mid] = (*rest)[0]
		*rest = (*rest)[1:]
	}
	return named
}

// gatherTime is ample: the candidates of the server are its own addresses.
const gatherTime = 5 * time.Second

// Offer answers an offer of the client: the first, one with more slots, or an ICE
// restart. The answer holds all candidates. After a refusal the peer is as it was before,
// unless half of the offer was applied: then the media is down.
func (p *Peer) Offer(ctx context.Context, text string) (string, error) {
	p.negotiation.Lock()
	defer p.negotiation.Unlock()
	if p.closed.Load() {
		return "", errStale
	}
	quotas := p.room.sfu.quotas
	if err := quotas.lines.Take(p.payer, 1, time.Now()); err != nil {
		return "", err
	}
	o, err := readOffer(text, &p.room.sfu.cfg)
	if err != nil {
		return "", err
	}
	quotas.lines.Charge(p.payer, len(o.lines), time.Now())
	if err := p.takeSlots(o.lines); err != nil {
		return "", err
	}
	p.phases.mu.Lock()
	if p.phases.offered == 0 {
		p.phases.offered = p.room.sfu.now()
	}
	p.phases.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	answer, err := p.answer(ctx, o)
	if err == nil {
		return answer, nil
	}
	p.room.sfu.log.Debug("offer refused", "leg", p.leg, "err", err)
	switch {
	case p.closed.Load():
		return "", errStale
	case ctx.Err() != nil:
		return "", refusal.After(time.Second, refusal.Busy, "The answer took too long. Try again.")
	}
	if p.pc.SignalingState() != webrtc.SignalingStateStable {
		p.failed.Store(true)
		p.notifications.media(MediaDown)
	}
	return "", refusal.New(refusal.BadSDP, "The offer cannot be answered.")
}

// takeSlots counts the slots of an offer against the quota. They count until the peer is
// closed, also when the offer cannot be answered.
func (p *Peer) takeSlots(lines []line) error {
	n := 0
	for _, l := range lines {
		if l.receives {
			n++
		}
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if p.closed.Load() {
		return errStale
	}
	return p.room.sfu.quotas.takeSlots(p.payer, &p.holding, n)
}

func (p *Peer) answer(ctx context.Context, o offer) (string, error) {
	p.addSources(o.lines)
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.sdp}); err != nil {
		return "", err
	}
	if err := p.addSlots(o.lines); err != nil {
		return "", err
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	description := p.pc.LocalDescription().SDP
	if err := p.expectChecks(description, o.ice); err != nil {
		return "", err
	}
	p.nameSlots()
	return wantDTX(description), nil
}

// expectChecks tells the gate whose checks to expect, before the client knows our password.
func (p *Peer) expectChecks(answer string, theirs consent.Credentials) error {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		return err
	}
	p.consent.Store(p.room.sfu.gate.Expect(credentials(&d), theirs))
	return nil
}

// addSources makes the sources of the sending lines, before their first packet can arrive.
func (p *Peer) addSources(lines []line) {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	for mid, kind := range kinds(lines) {
		if p.sources[mid] == nil {
			s := &source{peer: p, kind: kind, id: rand.Uint32(), mid: mid}
			s.muted.Store(p.muted[kind])
			p.sources[mid] = s
		}
	}
}

// addSlots makes a slot for each receiving line that has none. Pion's AddTrack takes the
// first line of the medium that can send and does not, which is the order of the offer.
func (p *Peer) addSlots(lines []line) error {
	for _, l := range lines {
		if !l.receives {
			continue
		}
		if t := p.transceiver(l.mid); t == nil || t.Sender() != nil {
			continue
		}
		kind := webrtc.RTPCodecTypeVideo
		if l.audio {
			kind = webrtc.RTPCodecTypeAudio
		}
		p.room.mu.Lock()
		s := newSlot(p, kind, len(p.slots))
		p.room.mu.Unlock()
		sender, err := p.pc.AddTrack(s)
		if err != nil {
			return err
		}
		if !p.adopt(s, sender) {
			return errStale
		}
	}
	return nil
}

// adopt adds a slot to those of the peer. It returns false when the peer was closed
// meanwhile.
func (p *Peer) adopt(s *slot, sender *webrtc.RTPSender) bool {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if p.closed.Load() {
		return false
	}
	p.slots = append(p.slots, s)
	p.wg.Go(func() { s.readRTCP(sender) })
	return true
}

// transceiver returns that of a line; nil: there is none.
func (p *Peer) transceiver(mid string) *webrtc.RTPTransceiver {
	for _, t := range p.pc.GetTransceivers() {
		if t.Mid() == mid {
			return t
		}
	}
	return nil
}

// nameSlots learns on which line each slot is, and assigns sources to the new ones.
func (p *Peer) nameSlots() {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	for _, t := range p.pc.GetTransceivers() {
		if t.Sender() == nil {
			continue
		}
		if s, ok := t.Sender().Track().(*slot); ok {
			s.mid = t.Mid()
		}
	}
	now := p.room.sfu.now()
	p.room.assignLocked(now)
	// Before that they open when the peer is connected, for which the client has the answer.
	if p.ready.Load() && p.openAt == 0 {
		p.openAt = now + answerTime
	}
}

// answerTime is about how long the answer takes to the client and into its
// PeerConnection. What is sent on a new slot before is lost there, and with it the key
// frame; if it takes longer the client asks for another.
const answerTime = 200 * time.Millisecond

// wantDTX adds to an answer that Opus may send nothing during silence, for which pion has
// no setting.
func wantDTX(answer string) string {
	return strings.ReplaceAll(answer, "useinbandfec=1\r\n", "useinbandfec=1;usedtx=1\r\n")
}
