package switchboard_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/auth"
	"carillon/chat"
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
	// A room of a conversation, and one of the site's own.
	people := chat.New(newWorld(t).store, chat.Config{Reach: chat.Reach{Known: []string{"*"}}})
	guest := chat.User{ID: "guest:1", Name: "Visitor", Guest: true}
	conversation, err := people.DirectWith(t.Context(), guest, "alice")
	if err != nil {
		t.Fatal(err)
	}
	ours := conversation.ID
	door := switchboard.NewDoor(media, switchboard.Members(people))
	who := func(user string, grants ...string) auth.Identity {
		return auth.Identity{User: user, Guest: strings.HasPrefix(user, "guest:"), Scope: auth.Scope{Grants: grants}}
	}
	in := func(who auth.Identity, conversations ...string) auth.Identity {
		who.Scope.Conversations = append([]string{}, conversations...)
		return who
	}
	// What the server does on the lines of the offer: its half of both directions.
	const both, takes, gives = "a=sendrecv", "a=recvonly", "a=sendonly"
	for _, c := range []struct {
		name    string
		who     auth.Identity
		room    string
		publish string // none: refused
		watch   string
		refused refusal.Code // where it is
	}{
		{"a member", who("alice"), ours, both, gives, ""},
		{"a guest", who("guest:1"), ours, "", gives, refusal.NotAllowed},
		{"a guest with a grant that no guest has", who("guest:1", "publish", "watch"), ours, "", gives, refusal.NotAllowed},
		{"a token to publish", who("alice", "publish"), ours, takes, "", refusal.NotAllowed},
		{"a token to watch", who("alice", "watch"), ours, "", gives, refusal.NotAllowed},
		{"a token to publish and watch", who("alice", "publish", "watch"), ours, both, gives, ""},
		{"a token for something else", who("alice", "upload"), ours, "", "", refusal.NotAllowed},
		{"no token", auth.Identity{}, ours, "", "", refusal.NotAllowed},

		{"a stranger", who("mallory"), ours, "", "", refusal.NotFound},
		{"a stranger whose token lists the conversation", in(who("mallory"), ours), ours, "", "", refusal.NotFound},
		{"a strange guest", who("guest:2", "watch"), ours, "", "", refusal.NotFound},
		{"a member whose token lists the conversation", in(who("alice"), "another", ours), ours, both, gives, ""},
		{"a member whose token lists another", in(who("alice"), "another"), ours, "", "", refusal.NotFound},
		{"a member whose token lists none", in(who("alice")), ours, "", "", refusal.NotFound},

		{"a room of no conversation", who("alice"), "stage", "", "", refusal.NotFound},
		{"a room that the token lists", in(who("alice"), "stage"), "stage", both, gives, ""},
		{"a room that the token lists to watch", in(who("bob", "watch"), "stage"), "stage", "", gives, refusal.NotAllowed},
		{"a room beside the one that the token lists", in(who("alice"), "stage"), "stage2", "", "", refusal.NotFound},
	} {
		for _, way := range []struct {
			name  string
			enter func(context.Context, auth.Identity, string, sfu.Listener) (*switchboard.Peer, error)
			want  string
		}{{"publish", door.Publish, c.publish}, {"watch", door.Watch, c.watch}} {
			t.Run(c.name+"/"+way.name, func(t *testing.T) {
				peer, err := way.enter(t.Context(), c.who, c.room, nobody{})
				if way.want == "" {
					if !refusal.Is(err, c.refused) {
						t.Fatalf("got %v, want %s", err, c.refused)
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
