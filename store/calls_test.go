package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
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
		ID: id, ClientCallID: clientCallID, Conversation: conversation, Caller: caller, Owner: "node-1", Epoch: 1, Direct: true,
		Users:     []string{"alice", "bob"},
		Snapshot:  call.Snapshot{ID: id, Caller: caller, State: call.Ringing, CSeq: 1, RemainingMS: 1000},
		State:     []byte(`{"legs":[]}`),
		Log:       call.Log{Call: id, Media: call.Video, State: call.Ringing},
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
		if got := kinds(delivered.of(user)); got != "conversation message call " {
			t.Errorf("%s heard %q, want one call", user, got)
		}
	}
}

func kinds(events []chat.Event) (out string) {
	for _, e := range events {
		out += string(e.Type) + " "
	}
	return out
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
	unread := func(want int) {
		t.Helper()
		for user, want := range map[string]int{"alice": 0, "bob": want} {
			if got, err := c.Conversation(ctx, user, conversation); err != nil || got.Unread != want || got.LastSeq != 1 {
				t.Errorf("%s: unread %d, last %d, %v; want %d, 1", user, got.Unread, got.LastSeq, err, want)
			}
		}
	}
	unread(0) // a call that still rings is not missed yet

	// A change that only the call's view shows makes no new revision of the message.
	r.Snapshot.CSeq, r.UpdatedAt = 2, 2000
	if err := s.SaveCall(ctx, r); err != nil {
		t.Fatal(err)
	}

	// Another node takes over; the first one is fenced off.
	claimed, err := s.ClaimCall(ctx, "call-1", "node-2", 1)
	if err != nil || claimed.Epoch != 2 || claimed.Owner != "node-2" || claimed.Snapshot.CSeq != 2 {
		t.Fatalf("claimed %+v, %v", claimed, err)
	}
	if _, err := s.ClaimCall(ctx, "call-1", "node-3", 1); !errors.Is(err, switchboard.ErrFenced) {
		t.Errorf("second claim: got %v, want %v", err, switchboard.ErrFenced)
	}
	r.Snapshot.CSeq = 77
	if err := s.SaveCall(ctx, r); !errors.Is(err, switchboard.ErrFenced) {
		t.Errorf("save by the old owner: got %v, want %v", err, switchboard.ErrFenced)
	}

	r = claimed
	r.Snapshot.CSeq, r.Snapshot.State, r.Snapshot.Reason, r.UpdatedAt = 3, call.Ended, call.NoAnswer, 46000
	r.Log.State, r.Log.Reason = call.Ended, call.NoAnswer
	r.Log.Outcomes = []call.Outcome{{User: "alice", State: call.Left}, {User: "bob", State: call.Missed}}
	if err := s.SaveCall(ctx, r); err != nil {
		t.Fatal(err)
	}
	unread(1)
	if err := c.MarkRead(ctx, "bob", conversation, 1); err != nil {
		t.Fatal(err)
	}
	unread(0)

	for _, user := range []string{"alice", "bob"} {
		if live, err := s.LiveCalls(ctx, user); err != nil || len(live) != 0 {
			t.Errorf("live calls of %s after the end: %v, %v", user, live, err)
		}
		want := "conversation message call call call message.update receipt "
		if got := kinds(delivered.of(user)); got != want {
			t.Errorf("%s heard %q, want %q", user, got, want)
		}
	}
	for _, e := range delivered.of("bob") {
		if e.Type == chat.EventCall && e.At != 1000 && e.At != 2000 && e.At != 46000 {
			t.Errorf("call event is dated %d: its times count from when the snapshot was made", e.At)
		}
	}
	page, _, err := c.Page(ctx, "bob", conversation, 0, 0, 0)
	if err != nil || len(page) != 1 {
		t.Fatalf("history: %v, %v; want the one log message", page, err)
	}
	var log call.Log
	if err := json.Unmarshal(page[0].Data, &log); err != nil || !reflect.DeepEqual(log, r.Log) || page[0].Revision != 1 || page[0].Kind != chat.Call || page[0].Sender != "alice" {
		t.Errorf("log message %+v with %+v, %v; want %+v at revision 1", page[0], log, err, r.Log)
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
