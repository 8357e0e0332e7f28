package bus

import (
	"log/slog"
	"strings"
	"testing"

	"carillon/bus/natstest"
)

func openOf(t *testing.T, url, database string) (*Bus, error) {
	t.Helper()
	b, err := Open(Config{URL: url, Database: database}, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Cleanup(b.Close)
	}
	return b, err
}

func mustOpenOf(t *testing.T, url, database string) *Bus {
	t.Helper()
	b, err := openOf(t, url, database)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantConflict(t *testing.T, err error, names ...string) {
	t.Helper()
	for _, part := range append(names, "bus.url: ", "another database", "store.url") {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, want it to name %q", err, part)
		}
	}
}

func TestANodeOfAnotherDatabaseDoesNotStart(t *testing.T) {
	servers := natstest.Start(t, 3)
	a := mustOpenOf(t, servers.URL(), "ours")
	mustOpenOf(t, servers.URL(), "ours")
	_, err := openOf(t, a.conn.ConnectedUrl(), "theirs")
	wantConflict(t, err, "ours", "theirs")
	select {
	case err := <-a.Refused():
		t.Errorf("the first node is refused: %v", err)
	default:
	}
}

// Nodes that start while there is no bus find out when it comes, and one of them stops.
func TestNodesOfTwoDatabasesThatMeetLaterPartAgain(t *testing.T) {
	servers := natstest.Start(t, 1)
	servers.KillAll()
	a, b := mustOpenOf(t, servers.URL(), "ours"), mustOpenOf(t, servers.URL(), "theirs")
	got := make(chan string, 100)
	subscribeAnyway(t, b, "user.alice", func(m Message) { got <- string(m.Data) })
	servers.Run(0)
	var refused error
	var stays *Bus
	select {
	case refused = <-a.Refused():
		stays = b
	case refused = <-b.Refused():
		stays = a
	}
	wantConflict(t, refused, "ours", "theirs")
	a.Publish("user.alice", []byte("hello"))
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-got:
		t.Errorf("%q came to a node of another database", m)
	case err := <-stays.Refused():
		t.Errorf("the other is refused, too: %v", err)
	default:
	}
}

func TestWhoIsNewIsTheSameForBoth(t *testing.T) {
	for _, d := range []int64{0, 1, sameAge, sameAge + 1, 1_000_000} {
		for _, ids := range [][2]string{{"a", "b"}, {"b", "a"}} {
			x, y := announcement{Node: ids[0], UpMS: 5000 + d}, announcement{Node: ids[1], UpMS: 5000}
			if newcomer(x, y) == newcomer(y, x) {
				t.Errorf("%v and %v: one of them must be the newcomer", x, y)
			}
			if d > sameAge && newcomer(x, y) {
				t.Errorf("%v runs longer than %v and is not the newcomer", x, y)
			}
		}
	}
}

func TestVersionsOfTheBusDoNotMix(t *testing.T) {
	me, other := announcement{Database: "ours", Protocol: 2}, announcement{Node: "n1", Database: "ours", Protocol: 1}
	if err := conflict(me, other); err == nil || !strings.Contains(err.Error(), "node n1 on this bus speaks version 1") {
		t.Errorf("got %v", err)
	}
	if err := conflict(me, announcement{Database: "ours", Protocol: 2}); err != nil {
		t.Errorf("the same version and database: %v", err)
	}
}

// The id of a node cannot be set, and is random: two that start from the same folder, configuration
// or image differ.
func TestNoTwoNodesHaveOneID(t *testing.T) {
	a, b := twoNodes(t, Config{})
	if a.node == b.node || len(a.node) < 26 {
		t.Errorf("got %q and %q", a.node, b.node)
	}
}
