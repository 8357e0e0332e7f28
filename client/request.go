package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// Request asks and waits for the answer. A refusal is a [*refusal.Error]. While there is no
// connection it waits for one. If the connection is lost after the request was sent it
// returns [ErrDisconnected], because not every request may be sent twice.
func (c *Client) Request(ctx context.Context, method string, params, result any) error {
	conn, err := c.connected(ctx)
	if err != nil {
		return err
	}
	var seen func(wire.Frame)
	if method == wire.MethodMessageSend {
		seen = conn.sent
	}
	return conn.request(ctx, method, params, result, seen)
}

// sent takes the message in an answer by the way that changes take.
func (conn *connection) sent(answer wire.Frame) {
	var c wire.Change
	if resultOf(answer, &c) == nil {
		conn.change(c)
	}
}

// Notify sends a notification, which has no answer. Without a connection it returns
// [ErrDisconnected].
func (c *Client) Notify(method string, params any) error {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return ErrDisconnected
	}
	return conn.send(wire.Frame{Method: method, Params: mustJSON(params)})
}

// Send sends a message, which is stored once: Send repeats it with the same client id until
// there is an answer, ctx ends, or the client does. It makes a ClientID if there is none; an
// empty kind is text.
func (c *Client) Send(ctx context.Context, m wire.MessageSend) (chat.Message, error) {
	if m.ClientID == "" {
		m.ClientID = rand.Text()
	}
	if m.Kind == "" {
		m.Kind = chat.Text
	}
	c.mu.Lock()
	c.pending[m.ClientID] = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.pending, m.ClientID)
		c.mu.Unlock()
	}()
	var change wire.Change
	if err := c.insist(ctx, wire.MethodMessageSend, m, &change, func(r *refusal.Error) bool { return r.Retry > 0 }); err != nil {
		return chat.Message{}, err
	}
	var sent chat.Message
	if err := json.Unmarshal(change.Data, &sent); err != nil {
		return chat.Message{}, fmt.Errorf("read the message that was sent: %w", err)
	}
	return sent, nil
}

// insist is Request for what may be asked twice: until there is an answer, ctx ends or
// the client does, it asks again over the next connection when one is lost, and after a
// while when a refusal is one to wait for.
func (c *Client) insist(ctx context.Context, method string, params, result any, waitFor func(*refusal.Error) bool) error {
	for {
		err := c.Request(ctx, method, params, result)
		if errors.Is(err, ErrDisconnected) {
			continue
		}
		refused, ok := errors.AsType[*refusal.Error](err)
		if !ok || !waitFor(refused) {
			return err
		}
		select {
		case <-time.After(refused.Retry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// busy is a refusal of a server that may have done what was asked, or will when it is
// asked again.
func busy(r *refusal.Error) bool { return r.Code == refusal.Busy && r.Retry > 0 }

// StartCall calls a user, with a leg for this tab. Like the other methods that return a
// leg it asks again when a lost connection has swallowed the answer; the server hands the
// same leg over, with a new secret.
func (c *Client) StartCall(ctx context.Context, to string, media call.Media) (wire.CallLeg, error) {
	return c.leg(ctx, wire.MethodCallStart,
		wire.CallStart{ClientCallID: rand.Text(), To: to, Media: media, Camera: media == call.Video})
}

// Answer answers a call in this tab.
func (c *Client) Answer(ctx context.Context, id string, camera bool) (wire.CallLeg, error) {
	return c.leg(ctx, wire.MethodCallAnswer, wire.CallAnswer{Call: id, Camera: camera})
}

// Move takes this user's part in a call over from another tab of theirs. The other tab
// keeps it until the media of this one is up.
func (c *Client) Move(ctx context.Context, id string) (wire.CallLeg, error) {
	return c.leg(ctx, wire.MethodCallMove, wire.CallMove{Call: id})
}

// Resume binds a leg to this client's connection again, after the connection was lost or
// by another Client with the same tab. The leg that it returns has a new secret.
func (c *Client) Resume(ctx context.Context, leg wire.CallLeg) (wire.CallLeg, error) {
	return c.leg(ctx, wire.MethodCallResume, refOf(leg))
}

func (c *Client) leg(ctx context.Context, method string, params any) (leg wire.CallLeg, err error) {
	err = c.insist(ctx, method, params, &leg, busy)
	return leg, err
}

// Leave ends this user's part in a call; it cancels while no one has answered.
func (c *Client) Leave(ctx context.Context, id string) error {
	return c.insist(ctx, wire.MethodCallLeave, wire.CallRef{Call: id}, nil, busy)
}

// Offer sends an SDP offer for a leg: the first one, one with more slots or one that
// restarts ICE. It returns the answer, which has the server's candidates. The offer needs
// no candidates.
func (c *Client) Offer(ctx context.Context, leg wire.CallLeg, sdp string) (answer string, err error) {
	var a wire.LegAnswer
	err = c.Request(ctx, wire.MethodLegOffer, wire.LegOffer{LegRef: refOf(leg), SDP: sdp}, &a)
	return a.SDP, err
}

func refOf(leg wire.CallLeg) wire.LegRef {
	return wire.LegRef{Call: leg.Call.ID, Leg: leg.Leg, Secret: leg.Secret}
}
