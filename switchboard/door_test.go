package switchboard_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/auth"
	"carillon/refusal"
	"carillon/sfu"
	"carillon/switchboard"
)

// nobody listens to a peer.
type nobody struct{}

func (nobody) Media(sfu.MediaState)        {}
func (nobody) Slots([]sfu.Slot)            {}
func (nobody) Speaker(string)              {}
func (nobody) Channel(sfu.Channel)         {}
func (nobody) Phase(string, time.Duration) {}

// offer of a real client that would like to send and to receive.
func offer(t *testing.T) string {
	t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv}); err != nil {
			t.Fatal(err)
		}
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return o.SDP
}

func TestWhatATokenAllowsInARoom(t *testing.T) {
	media, err := sfu.New(sfu.Config{Listen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := media.Close(); err != nil {
			t.Error(err)
		}
	})
	door := switchboard.NewDoor(media)
	member, guest := auth.Identity{User: "alice"}, auth.Identity{User: "guest:1", Guest: true}
	granted := func(who auth.Identity, grants ...string) auth.Identity { who.Grants = grants; return who }
	// What the server does on the lines of the offer: its half of both directions.
	const both, takes, gives = "a=sendrecv", "a=recvonly", "a=sendonly"
	for _, c := range []struct {
		name    string
		who     auth.Identity
		publish string // none: refused
		watch   string
	}{
		{"a member", member, both, gives},
		{"a guest", guest, "", gives},
		{"a guest with a grant that no guest has", granted(guest, "publish", "watch"), "", gives},
		{"a token to publish", granted(member, "publish"), takes, ""},
		{"a token to watch", granted(member, "watch"), "", gives},
		{"a token to publish and watch", granted(member, "publish", "watch"), both, gives},
		{"a token for something else", granted(member, "upload"), "", ""},
		{"no token", auth.Identity{}, "", ""},
	} {
		for _, way := range []struct {
			name  string
			enter func(auth.Identity, string, sfu.Listener) (*switchboard.Peer, error)
			want  string
		}{{"publish", door.Publish, c.publish}, {"watch", door.Watch, c.watch}} {
			t.Run(c.name+"/"+way.name, func(t *testing.T) {
				peer, err := way.enter(c.who, "stage", nobody{})
				if way.want == "" {
					if !refusal.Is(err, refusal.NotAllowed) {
						t.Fatalf("got %v, want not_allowed", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer peer.Close()
				answer, err := peer.Offer(t.Context(), offer(t))
				if err != nil {
					t.Fatal(err)
				}
				if n := strings.Count(answer, way.want+"\r\n"); n != 2 {
					t.Errorf("%d lines with %s in\n%s", n, way.want, answer)
				}
			})
		}
	}
}
