package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"carillon/bus/natstest"
	"carillon/call"
	"carillon/chat"
	"carillon/client"
	"carillon/sfu/sfutest"
	"carillon/store/pgtest"
	"carillon/tcp/tcptest"
	"carillon/wire"
)

// site is several nodes on one PostgreSQL and a cluster of NATS, behind a load balancer.
type site struct {
	*testing.T
	servers  *natstest.Cluster
	balancer string // host:port
	nodes    []*siteNode
	env      []string
}

// siteNode is a place for a node: its address and its data folder stay when it is killed.
type siteNode struct {
	*program
	args []string
	http string // host:port
}

// startSite starts so many nodes on a database of their own, with more in their environment.
func startSite(t *testing.T, nodes int, env ...string) *site {
	t.Helper()
	s := &site{T: t, servers: natstest.Start(t, 3)}
	s.env = append([]string{
		"CARILLON_STORE_URL=" + pgtest.Database(t), "CARILLON_BUS_URL=" + s.servers.URL(),
		"CARILLON_AUTH_KEYS=site=" + siteKey, "CARILLON_REACH_KNOWN=*",
	}, env...)
	for range nodes {
		s.add()
	}
	s.balance()
	return s
}

// startAlone starts one node on SQLite. All tabs come back to it.
func startAlone(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, env: []string{"CARILLON_AUTH_KEYS=site=" + siteKey, "CARILLON_REACH_KNOWN=*"}}
	s.add()
	s.balancer = s.nodes[0].http
	return s
}

// add starts one more node.
func (s *site) add() {
	s.Helper()
	n := &siteNode{http: tcptest.Address(s.T)}
	n.args = append([]string{"--data", s.TempDir(), "--listen", n.http}, anyPorts[2:]...)
	s.nodes = append(s.nodes, n)
	s.run(len(s.nodes) - 1)
}

// run starts a node that does not run.
func (s *site) run(i int) {
	s.Helper()
	s.nodes[i].program = start(s, s.env, s.nodes[i].args...)
}

// kill ends a node as a crash would.
func (s *site) kill(i int) {
	s.Helper()
	if err := s.nodes[i].command.Process.Kill(); err != nil {
		s.Fatal(err)
	}
	_ = s.nodes[i].command.Wait() // killed
}

// balance starts Debian's haproxy, which sends each tab to any node that is ready.
func (s *site) balance() {
	s.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program = "/usr/sbin/haproxy" // which is not on every PATH
	}
	s.balancer = tcptest.Address(s.T)
	var servers strings.Builder
	for i, n := range s.nodes {
		fmt.Fprintf(&servers, "    server node%d %s\n", i, n.http)
	}
	// A node that refuses, or says that it is not ready, is out at once. One that answers late on a busy
	// machine is not: without a timeout for it, a check would have the 200 ms to the next one.
	file := filepath.Join(s.TempDir(), "haproxy.cfg")
	text := fmt.Sprintf(`defaults
    mode http
    timeout connect 1s
    timeout check 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    option redispatch
frontend site
    bind %s
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk GET /readyz
    default-server check inter 200ms fall 1 rise 1
%s`, s.balancer, &servers)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	haproxy := exec.Command(program, "-db", "-q", "-f", file)
	if err := haproxy.Start(); err != nil {
		s.Fatalf("start haproxy (Debian's package of that name): %v", err)
	}
	s.Cleanup(func() {
		_ = haproxy.Process.Kill()
		_ = haproxy.Wait() // killed
	})
	until(s.T, "the balancer answers", func() bool {
		answer, err := http.Get("http://" + s.balancer + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	http.DefaultClient.CloseIdleConnections()
}

// token is another one for each tab: a tab that is signed out takes its token with it.
func (s *site) token(user string) string {
	s.Helper()
	out, err := command(s.env, "token", "--user", user).Output()
	if err != nil {
		s.Fatalf("token for %s: %v", user, err)
	}
	return strings.TrimSpace(string(out))
}

// siteTab is a tab that notes what it gets.
type siteTab struct {
	*client.Client
	t    *testing.T
	user string

	mu     sync.Mutex
	items  []wire.Change
	calls  map[string]call.Snapshot
	notes  []wire.Frame
	synced int
	lost   []error
}

// balanced is in place of a node: the tab goes where the balancer sends it.
const balanced = -1

// open opens a tab on a node. When it comes back, it does so through the balancer.
func (s *site) open(node int, user string) *siteTab {
	s.Helper()
	return s.openBy(node, user, s.token(user))
}

func (s *site) openBy(node int, user, token string) *siteTab {
	s.Helper()
	tb := &siteTab{t: s.T, user: user, calls: map[string]call.Snapshot{}}
	first := s.balancer
	if node != balanced {
		first = s.nodes[node].http
	}
	var err error
	tb.Client, err = client.Dial(s.Context(), client.Options{
		URL:   "ws://" + s.balancer + "/ws",
		Token: func(context.Context) (string, error) { return token, nil },
		Dialer: &websocket.Dialer{HandshakeTimeout: 10 * time.Second, NetDial: func(network, _ string) (net.Conn, error) {
			to := first
			first = s.balancer
			return net.DialTimeout(network, to, 5*time.Second)
		}},
		Change: func(c wire.Change) { tb.note(func() { tb.items = append(tb.items, c) }) },
		Call:   func(c wire.CallChange) { tb.note(func() { tb.calls[c.Call.ID] = c.Call }) },
		Note: func(method string, params json.RawMessage) {
			tb.note(func() { tb.notes = append(tb.notes, wire.Frame{Method: method, Params: params}) })
		},
		Synced:  func() { tb.note(func() { tb.synced++ }) },
		Lost:    func(err error) { tb.note(func() { tb.lost = append(tb.lost, err) }) },
		Backoff: func(int) (time.Duration, bool) { return 50 * time.Millisecond, true },
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(tb.Close)
	tb.await("synced", func() bool { return tb.synced > 0 })
	return tb
}

func (tb *siteTab) note(f func()) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	f()
}

func (tb *siteTab) await(what string, holds func() bool) {
	tb.t.Helper()
	until(tb.t, tb.user+": "+what, func() (yes bool) {
		tb.note(func() { yes = holds() })
		return yes
	})
}

// texts are the messages that the tab has got, in the order in which they came, of one conversation
// or, with an empty one, of all. Call under await or note.
func (tb *siteTab) texts(conversation string) (texts []string) {
	for _, m := range tb.messages(conversation) {
		texts = append(texts, m.Text)
	}
	return texts
}

func (tb *siteTab) messages(conversation string) (all []chat.Message) {
	for _, c := range tb.items {
		var m chat.Message
		if c.Type != chat.ItemMessage || conversation != "" && c.Feed != conversation {
			continue
		}
		if err := json.Unmarshal(c.Data, &m); err != nil {
			tb.t.Error(err)
		}
		if m.Kind == chat.Text {
			all = append(all, m)
		}
	}
	return all
}

// notesOf are the notifications of one method so far. Call under await or note.
func notesOf[P any](tb *siteTab, method string) (all []P) {
	for _, f := range tb.notes {
		if f.Method != method {
			continue
		}
		var p P
		if err := json.Unmarshal(f.Params, &p); err != nil {
			tb.t.Error(err)
		}
		all = append(all, p)
	}
	return all
}

// must asks and wants no error.
func (tb *siteTab) must(method string, params, result any) {
	tb.t.Helper()
	if err := tb.Request(tb.t.Context(), method, params, result); err != nil {
		tb.t.Fatalf("%s: %s: %v", tb.user, method, err)
	}
}

// say sends a message until it is acknowledged.
func (tb *siteTab) say(to, text string) chat.Message {
	tb.t.Helper()
	return tb.send(wire.MessageSend{To: to, Text: text})
}

func (tb *siteTab) sayIn(conversation, text string) chat.Message {
	tb.t.Helper()
	return tb.send(wire.MessageSend{Conversation: conversation, Text: text})
}

func (tb *siteTab) send(m wire.MessageSend) chat.Message {
	tb.t.Helper()
	m.Kind = chat.Text
	sent, err := tb.Send(tb.t.Context(), m)
	if err != nil {
		tb.t.Fatalf("%s: send: %v", tb.user, err)
	}
	return sent
}

// of is how a participant is in a call, as far as the tab knows. Call under await or note.
func (tb *siteTab) of(id, user string) call.ParticipantView {
	for _, p := range tb.calls[id].Participants {
		if p.User == user {
			return p
		}
	}
	return call.ParticipantView{}
}

// phone connects a peer for a leg and begins to speak.
func (tb *siteTab) phone(leg wire.CallLeg) *sfutest.Client {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.t.Context(), 20*time.Second)
	defer cancel()
	p, err := sfutest.New(sfutest.Config{NoCamera: true, VideoSlots: -1, NoChannels: true}, func(ctx context.Context, offer string) (string, error) {
		return tb.Offer(ctx, leg, offer)
	})
	if err != nil {
		tb.t.Fatal(err)
	}
	tb.t.Cleanup(func() { _ = p.Close() })
	if err := p.Dial(ctx); err != nil {
		tb.t.Fatalf("%s: %v", tb.user, err)
	}
	p.Talk(30)
	return p
}

// hears waits for more packets of others.
func (tb *siteTab) hears(p *sfutest.Client) {
	tb.t.Helper()
	heard := func() (n int) {
		for _, mid := range p.Slots(webrtc.RTPCodecTypeAudio) {
			if slot := p.Slot(mid); slot != nil {
				n += slot.Counts().Packets
			}
		}
		return n
	}
	before := heard()
	until(tb.t, tb.user+" hears the other", func() bool { return heard() > before+10 })
}

// rings starts a call and waits until it rings at the other.
func (tb *siteTab) rings(other *siteTab) wire.CallLeg {
	tb.t.Helper()
	leg, err := tb.StartCall(tb.t.Context(), other.user, call.Audio)
	if err != nil {
		tb.t.Fatalf("%s: start: %v", tb.user, err)
	}
	other.await("the ring", func() bool { return other.calls[leg.Call.ID].State == call.Ringing })
	return leg
}

func (tb *siteTab) answer(id string) wire.CallLeg {
	tb.t.Helper()
	leg, err := tb.Answer(tb.t.Context(), id, false)
	if err != nil {
		tb.t.Fatalf("%s: answer: %v", tb.user, err)
	}
	return leg
}
