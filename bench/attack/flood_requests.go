package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pion/webrtc/v4"

	"carillon/chat"
	"carillon/client"
	"carillon/refusal"
	"carillon/wire"
)

// How attempts of an attacker end, beside the codes of refusals.
const (
	accepted   = "accepted"
	unanswered = "unanswered"
	cutOff     = "cut off"
)

// wordOf says how a request ended.
func wordOf(err error) string {
	if err == nil {
		return accepted
	}
	if refused, ok := errors.AsType[*refusal.Error](err); ok {
		return string(refused.Code)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return unanswered
	}
	return cutOff
}

// prepareWHEP makes the offer that is sent again and again, and groups whose rooms it may be sent
// to, since a room has a cap of its own. Nobody connects.
func prepareWHEP(ctx context.Context, w *world) error {
	for range 3 {
		var group chat.Conversation
		if err := w.tabs[mallory].Request(ctx, wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: []string{eve}}, &group); err != nil {
			return err
		}
		w.ownGroups = append(w.ownGroups, group.ID)
	}
	var media webrtc.MediaEngine // with one codec, so that the offer is not too large
	vp8 := webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}}
	if err := media.RegisterCodec(vp8, webrtc.RTPCodecTypeVideo); err != nil {
		return err
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&media)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return err
	}
	defer pc.Close()
	for range 49 {
		if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			return err
		}
	}
	offer, err := pc.CreateOffer(nil)
	w.whepOffer = offer.SDP
	return err
}

func whep(ctx context.Context, w *world) (string, error) {
	token, err := w.token(mallory)
	if err != nil {
		return "", err
	}
	var answers outcomes
	client := w.web(attackerRemote, 16)
	defer client.CloseIdleConnections()
	repeatedly(ctx, 16, 300, 300, func(ctx context.Context, _, n int) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.url("http")+"/whep/"+w.ownGroups[n%len(w.ownGroups)], strings.NewReader(w.whepOffer))
		if err != nil {
			answers.add(err.Error())
			return
		}
		r.Header.Set("Content-Type", "application/sdp")
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := client.Do(r)
		if err != nil {
			answers.add(unanswered)
			return
		}
		_ = answer.Body.Close()
		answers.add(strings.ToLower(http.StatusText(answer.StatusCode)))
	})
	return "offers: " + answers.String(), nil
}

// attackersTabs opens pages of mallory, whose requests then come side by side.
func (w *world) attackersTabs(ctx context.Context, n int) (tabs []*client.Client, err error) {
	for range n {
		tab, err := w.dial(ctx, mallory, nil)
		if err != nil {
			return tabs, err
		}
		tabs = append(tabs, tab)
	}
	return tabs, nil
}

// request lets mallory ask the same from several tabs as often as allowed, and tells how it ended.
func (w *world) request(ctx context.Context, perSecond int, method string, params func(n int) any) (string, error) {
	return w.requestFrom(ctx, 8, perSecond, method, params)
}

// requestFrom is request from so many tabs.
func (w *world) requestFrom(ctx context.Context, count, perSecond int, method string, params func(n int) any) (string, error) {
	tabs, err := w.attackersTabs(ctx, count)
	defer func() {
		for _, t := range tabs {
			t.Close()
		}
	}()
	if err != nil {
		return "", err
	}
	var answers outcomes
	repeatedly(ctx, 4*count, 1_000_000, perSecond, func(ctx context.Context, worker, n int) {
		answers.add(wordOf(tabs[worker%count].Request(ctx, method, params(n), nil)))
	})
	return answers.String(), nil
}

// groups makes groups in turn of people who exist, and of ninety-nine whom nobody has ever seen.
func groups(ctx context.Context, w *world) (string, error) {
	return w.request(ctx, 1000, wire.MethodConversationCreate, func(n int) any {
		members := []string{alice, bob, eve}
		for i := 0; n%2 == 0 && len(members) < 99; i++ {
			members = append(members, fmt.Sprintf("nobody-%d-%d", n, i))
		}
		return wire.ConversationCreate{Kind: chat.Group, Members: members, Name: strings.Repeat("x", 100)}
	})
}

func messages(ctx context.Context, w *world) (string, error) {
	text := strings.Repeat("x", 16<<10)
	return w.request(ctx, 1000, wire.MethodMessageSend, func(n int) any {
		return wire.MessageSend{To: eve, ClientID: fmt.Sprintf("attack-%d", n), Kind: chat.Text, Text: text}
	})
}

// prepareReads fills a conversation with long messages.
func prepareReads(ctx context.Context, w *world) error {
	var group chat.Conversation
	if err := w.tabs[mallory].Request(ctx, wire.MethodConversationCreate, wire.ConversationCreate{Kind: chat.Group, Members: []string{eve}}, &group); err != nil {
		return err
	}
	w.ownGroups = []string{group.ID}
	text := strings.Repeat("x", 16<<10)
	for n := range 50 {
		send := wire.MessageSend{Conversation: group.ID, ClientID: fmt.Sprintf("long-%d", n), Kind: chat.Text, Text: text}
		if err := w.tabs[mallory].Request(ctx, wire.MethodMessageSend, send, nil); err != nil {
			return err
		}
	}
	return nil
}

func reads(ctx context.Context, w *world) (string, error) {
	return w.requestFrom(ctx, 150, 1000, wire.MethodMessagePage, func(int) any {
		return wire.MessagePage{Conversation: w.ownGroups[0], Limit: 50}
	})
}
