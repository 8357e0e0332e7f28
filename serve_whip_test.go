package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// Whoever watches or publishes with another program is told the same relays as a tab, and
// only after their token was checked.
func TestWHIPClientsAreToldTheRelays(t *testing.T) {
	data := t.TempDir()
	p := start(t, nil, append(anyPorts, "--data", data)...)
	token := tokenOf(t, data, "alice", "--conversations", "stage")
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, body, token string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, p.urls["http"]+"/whep/stage", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/sdp")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		t.Cleanup(http.DefaultClient.CloseIdleConnections)
		return answer
	}
	answer := ask(http.MethodPost, offer.SDP, token)
	links := strings.Join(answer.Header.Values("Link"), "\n")
	if answer.StatusCode != http.StatusCreated || !strings.Contains(links, "<"+p.urls["turn-udp"]+`>; rel="ice-server"; username="`) || !strings.Contains(links, `:alice"; credential="`) {
		t.Errorf("got %s and links %q, want relays with alice's credential", answer.Status, links)
	}
	whole, err := command(nil, "token", "--user", "alice", "--data", data).Output()
	if err != nil {
		t.Fatal(err)
	}
	if answer = ask(http.MethodPost, offer.SDP, strings.TrimSpace(string(whole))); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a token that does not list the room: got %s, want 404", answer.Status)
	}
	if answer = ask(http.MethodOptions, "", ""); len(answer.Header.Values("Link")) != 0 {
		t.Errorf("who shows no token is told %q", answer.Header.Values("Link"))
	}
}
