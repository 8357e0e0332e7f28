package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Protocol is the version of what nodes say to each other. Nodes of different versions are not on
// one bus at the same time.
const Protocol = 1

// announcement is who a node is. Nodes say it on a subject that all share, whatever their database.
// Node ids need no comparison: each is 128 random bits, made anew with every start, and nobody can
// set one.
type announcement struct {
	Node     string `json:"node"`
	Database string `json:"database"`
	Protocol int    `json:"protocol"`
	UpMS     int64  `json:"up_ms"`         // for how long the node runs
	Ask      bool   `json:"ask,omitempty"` // the node is not on the bus yet; whoever hears it answers with its own
}

const (
	nodesSubject = root + "nodes"
	// announceEvery is how many seconds are between two announcements of a node. They find nodes
	// that started while they could not hear each other.
	announceEvery = 5
	// meetTime is how long the first other node may take to answer.
	meetTime = time.Second
	// sameAge is how much longer than another a node must run to count as the older one. They look
	// at each other at slightly different times.
	sameAge = 500 // ms
)

func (b *Bus) who() announcement {
	return announcement{Node: b.node, Database: b.cfg.Database, Protocol: Protocol, UpMS: time.Since(b.began).Milliseconds()}
}

// Refused is where it says why this node may not be on this bus, should that turn out later than
// Open: another database is served there, by nodes that were first. The node must stop.
func (b *Bus) Refused() <-chan error { return b.refused }

// meetOthers asks one of the nodes on the bus who it is, and lets others ask this one. All that are
// there have one database, so one answer is enough.
func (b *Bus) meetOthers() error {
	if b.server != nil {
		return nil // all are of this process
	}
	if b.Connected() {
		me := b.who()
		me.Ask = true
		ctx, cancel := context.WithTimeout(context.Background(), meetTime)
		defer cancel()
		if m, err := b.conn.RequestWithContext(ctx, nodesSubject, encode(me)); err == nil {
			var other announcement
			if err := json.Unmarshal(m.Data, &other); err != nil {
				return fmt.Errorf("read who else is on the bus: %w", err)
			}
			if err := conflict(b.who(), other); err != nil {
				return err
			}
		}
	}
	for _, subject := range []string{nodesSubject, nodesSubject + "." + b.node} {
		if _, err := b.conn.Subscribe(subject, b.meet); err != nil {
			return fmt.Errorf("subscribe to %s: %w", subject, err)
		}
	}
	b.announce()
	return nil
}

// announce says who this node is. Only those answer who disagree.
func (b *Bus) announce() {
	if b.server == nil && b.Connected() {
		_ = b.conn.PublishRequest(nodesSubject, nodesSubject+"."+b.node, encode(b.who())) // said again soon
	}
}

// meet takes the announcement of another node. It runs on a goroutine of NATS.
func (b *Bus) meet(m *nats.Msg) {
	var other announcement
	if err := json.Unmarshal(m.Data, &other); err != nil {
		b.log.Error("read who another node is", "err", err)
		return
	}
	if other.Node == b.node {
		return // it is this one's own
	}
	conflict := conflict(b.who(), other)
	if m.Reply != "" && (conflict != nil || other.Ask) {
		if err := m.Respond(encode(b.who())); err != nil {
			b.log.Warn("tell another node who this one is", "err", err)
		}
	}
	switch {
	case conflict == nil:
	case newcomer(b.who(), other):
		select {
		case b.refused <- conflict:
		default: // it is known already
		}
	default:
		b.log.Error("another node has to stop", "node", other.Node, "err", conflict)
	}
}

// conflict says why two nodes cannot be on one bus, and what to do. Nil: they can.
func conflict(me, other announcement) error {
	switch {
	case me.Protocol != other.Protocol:
		return fmt.Errorf("bus.url: node %s on this bus speaks version %d of what nodes say to each other, and this one version %d. "+
			"Stop all nodes of the one version before you start those of the other", other.Node, other.Protocol, me.Protocol)
	case me.Database != other.Database:
		return errors.New("bus.url: this bus serves nodes of another database: node " + other.Node + " has database " + other.Database + ", and this one " + me.Database + ". " +
			"Nodes on one bus must share one database: set store.url to the same PostgreSQL on all of them, or give each site a bus of its own")
	}
	return nil
}

// newcomer reports whether this node, which is on the bus, is the one of the two that came later.
// Both find the same.
func newcomer(me, other announcement) bool {
	if other.Ask {
		return false
	}
	if d := me.UpMS - other.UpMS; d < -sameAge || d > sameAge {
		return d < 0
	}
	return me.Node > other.Node
}

func encode(a announcement) []byte {
	data, err := json.Marshal(a)
	if err != nil {
		panic(err) // it has strings and numbers only
	}
	return data
}
