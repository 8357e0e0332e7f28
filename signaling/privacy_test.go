package signaling

import (
	"bytes"
	"context"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/wire"
)

// recorder keeps every byte that the server sends to a client.
type recorder struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.String()
}

func (r *recorder) on(o *client.Options) {
	o.Dialer = &websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return recorded{c, r}, err
	}}
}

type recorded struct {
	net.Conn
	to *recorder
}

func (r recorded) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.to.mu.Lock()
	r.to.bytes.Write(p[:n])
	r.to.mu.Unlock()
	return n, err
}

// Whatever two users do together, neither is sent a tab, a session, a leg, a device or the name of
// a device of the other. Each sees their own.
func TestOthersSeeNeitherTabNorDevice(t *testing.T) {
	w := newCallWorld(t)
	var alices, bobs recorder
	on := func(user, n string, r *recorder) *tab {
		return w.open(1, user, r.on, func(o *client.Options) {
			o.Tab, o.Device, o.DeviceName = user+"-tab-"+n, user+"-device-"+n, "the "+user+" machine "+n
		})
	}
	alice, bob, bob2 := on("alice", "1", &alices), on("bob", "1", &bobs), on("bob", "2", &bobs)

	m := alice.send("bob", "Hello")
	if err := bob.ask(wire.MethodMarksSet, wire.MarksSet{Marks: map[string]chat.Marks{m.Conversation: {Read: m.Seq}}}, nil); err != nil {
		t.Fatal(err)
	}
	for _, tb := range []*tab{alice, bob} {
		if err := tb.ask(wire.MethodPresenceWatch, wire.PresenceWatch{Users: []string{"alice", "bob"}}, nil); err != nil {
			t.Fatal(err)
		}
		if err := tb.Notify(wire.NoteTyping, wire.Typing{Conversation: m.Conversation, On: true}); err != nil {
			t.Fatal(err)
		}
		if err := tb.ask(wire.MethodUserObjectSet, wire.UserObjectSet{Key: "k", Value: []byte("1")}, nil); err != nil {
			t.Fatal(err)
		}
	}

	a, b, _, _ := talk(t, alice, bob)
	on("bob", "3", &bobs) // greeted with the call
	moved := bob2.must(wire.MethodCallMove, wire.CallMove{Call: a.Call.ID})
	newPhone(t).connect(bob2, moved)
	bob.legEnd(b.Leg, call.Replaced)
	mine := bob2.until("moved", a.Call.ID, func(s call.Snapshot) bool {
		leg := of(s, "bob").Leg
		return leg != nil && leg.TabID == "bob-tab-2"
	})
	if p := of(mine, "bob"); p.Leg.DeviceName != "the bob machine 2" || p.ActedAt == nil || p.ActedAt.TabID != "bob-tab-1" {
		t.Errorf("bob's own tab sees itself as %+v", p)
	}
	if p := of(mine, "alice"); p.State != call.Joined || p.Leg != nil || p.ActedAt != nil {
		t.Errorf("bob sees alice as %+v", p)
	}
	again := alice.must(wire.MethodCallResume, refOf(a)) // its answer holds the call too
	if p := of(again.Call, "alice"); p.Leg == nil || p.Leg.Device != "alice-device-1" {
		t.Errorf("alice sees herself as %+v", p)
	}
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: a.Call.ID})
	bob.ended(a.Call.ID, call.Completed)
	// A ring that is declined, and a start that finds the call of the other.
	second := bob.start("alice")
	alice.must(wire.MethodCallRinging, wire.CallRef{Call: second.Call.ID})
	alice.must(wire.MethodCallDecline, wire.CallRef{Call: second.Call.ID})
	bob.ended(second.Call.ID, call.DeclinedReason)
	third := alice.start("bob")
	if merged := bob2.must(wire.MethodCallStart, wire.CallStart{ClientCallID: "glare", To: "alice", Media: call.Video}); !merged.Merged || merged.Call.ID != third.Call.ID {
		t.Fatalf("bob got %+v, want the call of alice", merged)
	}
	alice.must(wire.MethodCallLeave, wire.CallRef{Call: third.Call.ID})
	bob.ended(third.Call.ID, call.Completed)
	// All that is kept, read by who was not here.
	on("alice", "2", &alices)
	late := w.open(1, "bob", bobs.on)
	var page wire.Messages
	if err := late.ask(wire.MethodMessagePage, wire.MessagePage{Conversation: m.Conversation}, &page); err != nil || len(page.Items) != 4 {
		t.Errorf("history of %d messages, %v; want one and three calls", len(page.Items), err)
	}
	var changes wire.Changes
	for _, feed := range []string{m.Conversation, chat.OwnFeed} {
		if err := late.ask(wire.MethodFeedChanges, wire.FeedChanges{Feed: feed}, &changes); err != nil || len(changes.Items) == 0 {
			t.Errorf("%d changes of %s, %v", len(changes.Items), feed, err)
		}
	}

	secrets := map[string][]string{}
	for _, tb := range []*tab{alice, bob, late} {
		var sessions wire.SessionList
		if err := tb.ask(wire.MethodSessionList, wire.Empty{}, &sessions); err != nil {
			t.Fatal(err)
		}
		user := tb.Welcome().User.ID
		for _, s := range sessions.Sessions {
			secrets[user] = append(secrets[user], s.ID)
		}
		secrets[user] = append(secrets[user], user+"-tab-", user+"-device-", "the "+user+" machine")
	}
	secrets["alice"] = append(secrets["alice"], a.Leg, a.Secret, again.Secret)
	secrets["bob"] = append(secrets["bob"], b.Leg, b.Secret, moved.Leg, moved.Secret)
	for of, told := range map[string]*recorder{"alice": &bobs, "bob": &alices} {
		for _, secret := range secrets[of] {
			if sent := told.text(); strings.Contains(sent, secret) {
				at := strings.Index(sent, secret)
				t.Errorf("the other is sent %q in …%s", secret, sent[max(0, at-200):at+len(secret)])
			}
		}
	}
	if !strings.Contains(bobs.text(), "bob-device-1") || !strings.Contains(alices.text(), "alice-device-1") {
		t.Error("nobody sees their own device: the recorder hears nothing")
	}
}

// What others are told of a user is listed here. A field that is added to it is added here, by
// somebody who has thought of who may know that.
func TestOthersAreToldNothingElseOfAUser(t *testing.T) {
	for _, c := range []struct {
		what any
		want string
	}{
		{chat.User{}, "id name picture guest"},
		{chat.Member{}, "id name picture guest role state delivered read"},
		{chat.Conversation{}, "id kind name created_at pos floor last_seq n last count members mine mine_at"}, // the last two are one's own
		{chat.Settings{}, "name"},
		{chat.Message{}, "id conversation seq n sender client_id kind text data preview revision sent_at reply_to mentions forwarded edited_at gone"}, // gone: removed by oneself
		{chat.Preview{}, "url site title description picture"},
		{chat.Reactions{}, "seq counts mine user emoji off"}, // who reacts is seen by the members; mine are one's own
		{chat.ConversationMarks{}, "conversation members counts"},
		{chat.MemberMarks{}, "user delivered read"},
		{chat.MarkCount{}, "seq delivered read"},
		{wire.Change{}, "feed pos tag type data count"},
		{wire.Presence{}, "user guest state last_seen"},
		{wire.Typing{}, "conversation user on"},
		{wire.CallChange{}, "from age_ms call"},
		{call.Snapshot{}, "id client_call_id conversation caller media state cseq epoch participants remaining_ms active_ms reason"},
		{call.ParticipantView{}, "user name guest state microphone camera held hand_raised leg acted_at"}, // the last two of oneself only
		{call.Log{}, "call media state reason outcomes duration_ms"},
		{call.Outcome{}, "user state"},
		{wire.Slot{}, "mid participant source id"},
		{wire.Speaker{}, "call user"},
	} {
		var got []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.what)) {
			if !f.Anonymous {
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				got = append(got, name)
			}
		}
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%T has %q, want %q", c.what, got, want)
		}
	}
}

func TestASnapshotForOneShowsNothingOfOthers(t *testing.T) {
	where := &call.Where{TabID: "t", Device: "d", DeviceName: "n"}
	s := call.Snapshot{Participants: []call.ParticipantView{
		{User: "alice", ActedAt: where, Leg: &call.LegView{ID: "l", Where: *where}},
		{User: "bob", ActedAt: where, Leg: &call.LegView{ID: "l", Where: *where}},
	}}
	if p := s.For("bob").Participants; p[0].ActedAt != nil || p[0].Leg != nil || p[1].ActedAt == nil || p[1].Leg == nil {
		t.Errorf("bob sees %+v", p)
	}
	if s.Participants[0].Leg == nil {
		t.Error("For changed what it was given")
	}
}
