package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/switchboard"
)

// ring is a fresh call of caller in a direct conversation of alice and bob.
func ring(id, caller, clientCallID, conversation string) call.Record {
	return call.Record{
		ID: id, ClientCallID: clientCallID, Conversation: conversation, Caller: caller, Owner: "node-1", Epoch: 1, CSeq: 1, Direct: true,
		State: []byte(`{"legs":[]}`),
		Log: call.Log{Call: id, Media: call.Video, State: call.Ringing, Outcomes: []call.Outcome{
			{User: "alice", State: call.Invited}, {User: "bob", State: call.Invited},
		}},
		CreatedAt: 1000, UpdatedAt: 1000,
	}
}

func direct(t *testing.T, s *Store) (*chat.Service, string) {
	t.Helper()
	c := chat.New(s, anyone)
	conversation, err := c.DirectWith(t.Context(), alice, "bob")
	if err != nil {
		t.Fatal(err)
	}
	return c, conversation.ID
}

// Alice and bob call each other at the same moment, each from many tabs.
func TestOneLiveCallPerDirectConversation(t *testing.T) {
	s, delivered := open(t, Config{})
	_, conversation := direct(t, s)
	const tries = 20
	winners := make([]string, tries)
	created := make([]bool, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() {
			caller := []string{"alice", "bob"}[i%2]
			w, made, err := s.CreateCall(t.Context(), ring(fmt.Sprint("call-", i), caller, fmt.Sprint("client-", i), conversation))
			if err != nil {
				t.Errorf("create %d: %v", i, err)
			}
			winners[i], created[i] = w.ID, made
		})
	}
	wg.Wait()
	n := 0
	for i := range tries {
		if winners[i] != winners[0] {
			t.Fatalf("two winners: %v", winners)
		}
		if created[i] {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d calls were created, want 1", n)
	}
	for _, user := range []string{"alice", "bob"} {
		live, err := s.LiveCalls(t.Context(), user)
		if err != nil || len(live) != 1 || live[0].ID != winners[0] {
			t.Errorf("live calls of %s: %v, %v", user, live, err)
		}
	}
	messages := slices.DeleteFunc(delivered.items(conversation, ""), func(i chat.Item) bool { return i.Type != chat.ItemMessage })
	if len(messages) != 1 {
		t.Errorf("the conversation has %d messages, want one call's", len(messages))
	}
}

func TestACallFromStartToEnd(t *testing.T) {
	s, delivered := open(t, Config{})
	c, conversation := direct(t, s)
	ctx := t.Context()
	r := ring("call-1", "alice", "client-1", conversation)
	if _, created, err := s.CreateCall(ctx, r); err != nil || !created {
		t.Fatalf("created %t, %v", created, err)
	}
	if got, err := s.Call(ctx, "call-1"); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("stored %+v, %v; want %+v", got, err, r)
	}
	want := []call.Live{{ID: "call-1", Owner: "node-1", Epoch: 1, CSeq: 1, Users: []string{"alice", "bob"}}}
	if all, err := s.AllLive(ctx); err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("all live: %+v, %v; want %+v", all, err, want)
	}
	missed := func(want int64) {
		t.Helper()
		for user, want := range map[string]int64{"alice": 0, "bob": want} {
			if got, err := c.Conversation(ctx, user, conversation); err != nil || got.Mine.Missed != want || got.LastSeq != 1 || got.N != 0 {
				t.Errorf("%s: missed %d, last %d, n %d, %v; want %d, 1, 0", user, got.Mine.Missed, got.LastSeq, got.N, err, want)
			}
		}
	}
	missed(0) // a call that still rings is not missed yet

	// A change that history does not show makes no new revision of the message.
	r.State, r.CSeq, r.UpdatedAt = []byte(`{"legs":[1]}`), 2, 2000
	if err := s.SaveCall(ctx, r); err != nil {
		t.Fatal(err)
	}

	// Another node takes over; the first one is fenced off.
	claimed, err := s.ClaimCall(ctx, "call-1", "node-2", 1)
	if err != nil || claimed.Epoch != 2 || claimed.Owner != "node-2" || claimed.CSeq != 2 || string(claimed.State) != `{"legs":[1]}` {
		t.Fatalf("claimed %+v, %v", claimed, err)
	}
	if _, err := s.ClaimCall(ctx, "call-1", "node-3", 1); !errors.Is(err, switchboard.ErrFenced) {
		t.Errorf("second claim: got %v, want %v", err, switchboard.ErrFenced)
	}
	r.CSeq = 77
	if err := s.SaveCall(ctx, r); !errors.Is(err, switchboard.ErrFenced) {
		t.Errorf("save by the old owner: got %v, want %v", err, switchboard.ErrFenced)
	}

	r = claimed
	r.CSeq, r.UpdatedAt = 3, 46000
	r.Log.State, r.Log.Reason = call.Ended, call.NoAnswer
	r.Log.Outcomes = []call.Outcome{{User: "alice", State: call.Left}, {User: "bob", State: call.Missed}}
	if err := s.SaveCall(ctx, r); err != nil {
		t.Fatal(err)
	}
	missed(1)
	if err := c.SetMarks(ctx, "bob", map[string]chat.Marks{conversation: {Read: 1}}); err != nil {
		t.Fatal(err)
	}
	missed(0)

	for _, user := range []string{"alice", "bob"} {
		if live, err := s.LiveCalls(ctx, user); err != nil || len(live) != 0 {
			t.Errorf("live calls of %s after the end: %v, %v", user, live, err)
		}
	}
	// The message came and was revised once, at the end; bob's membership moved by the missed call
	// and by the mark.
	if items := delivered.items(conversation, ""); len(items) != 2 || items[1].Pos != items[0].Pos+1 {
		t.Errorf("changes of the conversation: %+v", items)
	}
	if items := delivered.items("", "bob"); len(items) < 2 || items[len(items)-1].Pos != items[len(items)-2].Pos+1 {
		t.Errorf("changes of bob's own feed: %+v", items)
	}
	page, err := c.Page(ctx, "bob", conversation, 0, 0, 0)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("history: %v, %v; want the one log message", page, err)
	}
	var m chat.Message
	var log call.Log
	if err := errors.Join(json.Unmarshal(page.Items[0].Data, &m), json.Unmarshal(m.Data, &log)); err != nil || !reflect.DeepEqual(log, r.Log) || m.Revision != 1 || m.Kind != chat.Call || m.Sender != "alice" {
		t.Errorf("log message %+v with %+v, %v; want %+v at revision 1", m, log, err, r.Log)
	}

	// Ended is ended: nobody claims it, the same client call id finds it, a new one rings.
	if _, err := s.ClaimCall(ctx, "call-1", "node-3", 2); !errors.Is(err, switchboard.ErrFenced) {
		t.Errorf("claim of an ended call: got %v, want %v", err, switchboard.ErrFenced)
	}
	if w, created, err := s.CreateCall(ctx, ring("call-2", "alice", "client-1", conversation)); err != nil || created || w.ID != "call-1" || w.Live() {
		t.Errorf("repeated start: %s created %t, %v; want the ended call-1", w.ID, created, err)
	}
	if w, created, err := s.CreateCall(ctx, ring("call-3", "bob", "client-1", conversation)); err != nil || !created || w.ID != "call-3" {
		t.Errorf("next call: %s created %t, %v", w.ID, created, err)
	}
	if all, err := s.AllLive(ctx); err != nil || len(all) != 1 || all[0].ID != "call-3" {
		t.Errorf("all live: %v, %v", all, err)
	}
	if _, err := s.Call(ctx, "none"); !refusal.Is(err, refusal.NotFound) {
		t.Errorf("no such call: got %v, want %s", err, refusal.NotFound)
	}
	if _, _, err := s.CreateCall(ctx, ring("call-4", "carol", "c", conversation)); !refusal.Is(err, refusal.NotFound) {
		t.Errorf("a call of a stranger: got %v, want %s", err, refusal.NotFound)
	}
}
