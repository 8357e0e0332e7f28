package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"carillon/auth"
	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/sfu/sfutest"
	"carillon/wire"
)

// Alice and bob are honest and talk in a call; carol, who is honest too, opens one tab after
// another. Mallory attacks, with the help of eve. All but carol are members of one group.
const (
	alice   = "alice"
	bob     = "bob"
	carol   = "carol"
	mallory = "mallory"
	eve     = "eve"
)

// world is one server, the honest users there, and what the attacker has prepared.
type world struct {
	server *server
	signer *auth.Verifier
	keys   *keyServer
	group  string // the conversation of all but carol
	tabs   map[string]*tab

	honestCall string // its id
	alice, bob *peer
	mallory    *peer // see openOwnCall and joinHonestCall; nil: in no call

	refused   string           // why a flood could not even be prepared; empty: it could
	whepOffer string           // see prepareWHEP
	ownGroups []string         // of mallory, see prepareWHEP
	guests    []*client.Client // pages of guests, see prepareGuestRings

	release  func() // gives back what a flood holds; nil: it holds nothing
	closings []func()
}

// tab is an open page of a user.
type tab struct {
	*client.Client
	user string
	rang atomic.Int64 // changes of calls of others that ring
}

func openWorld(ctx context.Context, path string, secure bool) (_ *world, err error) {
	w := &world{tabs: map[string]*tab{}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.keys, err = newKeyServer(); err != nil {
		return nil, err
	}
	w.closings = append(w.closings, w.keys.close)
	w.signer, err = auth.NewVerifier(ctx, auth.Config{Keys: map[string]string{"site": signingKey}}, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if w.server, err = startServer(ctx, path, w.keys.url, secure); err != nil {
		return nil, err
	}
	for _, user := range []string{alice, bob, mallory, eve} {
		if err := w.openTab(ctx, user); err != nil {
			return nil, err
		}
	}
	var group chat.Conversation
	err = w.tabs[alice].Request(ctx, wire.MethodConversationCreate,
		wire.ConversationCreate{Kind: chat.Group, Members: []string{bob, mallory, eve}, Name: "Team"}, &group)
	if err != nil {
		return nil, err
	}
	w.group = group.ID
	for _, user := range []string{bob, mallory, eve} { // who do not know her, and are only invited
		if err := w.tabs[user].Request(ctx, wire.MethodConversationJoin, wire.ConversationRef{Conversation: w.group}, nil); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// close ends everything and returns how long the server took to stop.
func (w *world) close() (stopping time.Duration) {
	if w.server != nil {
		stopping = w.server.stop()
	}
	for _, t := range w.tabs {
		t.Close()
	}
	for _, end := range w.closings {
		end()
	}
	return stopping
}

// token signs a user in.
func (w *world) token(user string) (string, error) { return w.signer.Mint(user, user, time.Hour) }

// openTab opens a page of a user, which stays open.
func (w *world) openTab(ctx context.Context, user string) error {
	t := &tab{user: user}
	var err error
	if t.Client, err = w.dial(ctx, user, t.called); err != nil {
		return fmt.Errorf("tab of %s: %w", user, err)
	}
	w.tabs[user] = t
	return nil
}

func (w *world) dial(ctx context.Context, user string, called func(wire.CallChange)) (*client.Client, error) {
	token, err := w.token(user)
	if err != nil {
		return nil, err
	}
	remote := honestRemote
	if user == mallory || user == eve {
		remote = attackerRemote
	}
	return w.dialAs(ctx, token, remote, called)
}

// dialAs opens a page for whom a token names.
func (w *world) dialAs(ctx context.Context, token, remote string, called func(wire.CallChange)) (*client.Client, error) {
	dialer, header := w.webSockets(remote)
	return client.Dial(ctx, client.Options{
		URL: w.server.url("ws") + "/ws", Dialer: dialer, Header: header, Call: called,
		Token: func(context.Context) (string, error) { return token, nil },
	})
}

// called counts calls of others that ring.
func (t *tab) called(c wire.CallChange) {
	if c.Call.State == call.Ringing && c.Call.Caller != t.user {
		t.rang.Add(1)
	}
}

const connectTime = 10 * time.Second

// openCall puts alice and bob into a call of the group.
func (w *world) openCall(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	leg, err := w.startCall(ctx, alice, wire.CallStart{Conversation: w.group, Media: call.Audio})
	if err != nil {
		return err
	}
	w.honestCall = leg.Call.ID
	if w.alice, err = w.connect(ctx, alice, leg, peerConfig{microphone: true, channels: true, slots: 1}); err != nil {
		return err
	}
	w.bob, err = w.answer(ctx, bob, leg.Call.ID, peerConfig{microphone: true, channels: true, slots: 1})
	return err
}

func (w *world) startCall(ctx context.Context, user string, start wire.CallStart) (leg wire.CallLeg, err error) {
	start.ClientCallID = rand.Text()
	err = w.tabs[user].Request(ctx, wire.MethodCallStart, start, &leg)
	return leg, err
}

// answer answers a call and connects.
func (w *world) answer(ctx context.Context, user, id string, cfg peerConfig) (*peer, error) {
	leg, err := w.tabs[user].Answer(ctx, id, false)
	if err != nil {
		return nil, err
	}
	return w.connect(ctx, user, leg, cfg)
}

// connect connects the media of a leg.
func (w *world) connect(ctx context.Context, user string, leg wire.CallLeg, cfg peerConfig) (*peer, error) {
	p, err := newPeer(cfg, func(ctx context.Context, offer string) (string, error) { return w.tabs[user].Offer(ctx, leg, offer) })
	if err != nil {
		return nil, err
	}
	w.closings = append(w.closings, p.close)
	if err := p.connect(ctx); err != nil {
		return nil, fmt.Errorf("media of %s: %w", user, err)
	}
	return p, nil
}

// openOwnCall puts mallory and eve into a call, where eve sends a picture that mallory gets.
func (w *world) openOwnCall(ctx context.Context, mallorysOffer func(string) string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	leg, err := w.startCall(ctx, mallory, wire.CallStart{To: eve, Media: call.Video})
	if err != nil {
		return err
	}
	if w.mallory, err = w.connect(ctx, mallory, leg, peerConfig{microphone: true, slots: 1, change: mallorysOffer}); err != nil {
		return err
	}
	eveLeg, err := w.tabs[eve].Answer(ctx, leg.Call.ID, true)
	if err != nil {
		return err
	}
	picture, err := sfutest.New(sfutest.Config{NoMicrophone: true, NoChannels: true, AudioSlots: -1, VideoSlots: -1}, func(ctx context.Context, offer string) (string, error) {
		return w.tabs[eve].Offer(ctx, eveLeg, offer)
	})
	if err != nil {
		return err
	}
	w.closings = append(w.closings, func() { _ = picture.Close() })
	if err := picture.Dial(ctx); err != nil {
		return fmt.Errorf("media of eve: %w", err)
	}
	picture.Talk(127)
	return w.mallory.sees(ctx)
}

// joinHonestCall makes mallory a member of the call of alice and bob.
func (w *world) joinHonestCall(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	w.mallory, err = w.answer(ctx, mallory, w.honestCall, peerConfig{microphone: true, channels: true, slots: 1})
	return err
}

// keyServer publishes a key as an identity provider does, and counts who asks for it.
type keyServer struct {
	url     string
	fetches atomic.Int64
	server  *http.Server
}

func newKeyServer() (*keyServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &keyServer{url: "http://" + l.Addr().String() + "/keys"}
	k.server = &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		k.fetches.Add(1)
		_, _ = rw.Write([]byte(publishedKeys))
	})}
	go func() { _ = k.server.Serve(l) }() // ends with close
	return k, nil
}

func (k *keyServer) close() { _ = k.server.Close() }

// publishedKeys holds the public key of RFC 8037, appendix A.2.
const publishedKeys = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
