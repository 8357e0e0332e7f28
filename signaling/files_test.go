package signaling

import (
	"log/slog"
	"slices"
	"testing"

	"carillon/chat"
	"carillon/files"
	"carillon/refusal"
	"carillon/wire"
)

// A tab is told the addresses of files that its user may have, and of no others.
func TestATabIsToldAddressesOfItsFiles(t *testing.T) {
	w := newWorld(t, Config{})
	server, err := files.New(files.Config{Data: t.TempDir(), Quota: files.Quota{FreeBytes: 1}}, files.Deps{
		Store: w.store, Sees: w.chat.SeesFiles, Secret: []byte("a secret of the test, 32 bytes long"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	w.nodes[0].files = server
	alice, bob := w.open(0, "alice"), w.open(0, "bob")
	m := alice.send("bob", "look")
	for _, f := range []files.File{
		{ID: "SENT", Owner: "alice", State: files.Finished, Thumbnail: "image/jpeg"},
		{ID: "UNSENT", Owner: "alice", State: files.Finished, CollectAt: 1 << 50},
		{ID: "UNFINISHED", Owner: "alice", State: files.Uploading, CollectAt: 1 << 50},
	} {
		f.ID += "AAAAAAAAAAAAAAAAAAAAAAAAAA"[len(f.ID):]
		if err := w.store.WriteFiles(t.Context(), func(tx files.Tx) error { return tx.PutFile(f) }); err != nil {
			t.Fatal(err)
		}
	}
	const sent, unsent, unfinished = "SENTAAAAAAAAAAAAAAAAAAAAAA", "UNSENTAAAAAAAAAAAAAAAAAAAA", "UNFINISHEDAAAAAAAAAAAAAAAA"
	if err := w.store.Write(t.Context(), "", func(tx chat.Tx) error {
		return tx.PutFileUses(m.Conversation, m.Seq, []string{sent})
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(tb *tab, ids ...string) (got []string) {
		t.Helper()
		var list wire.FileURLList
		if err := tb.ask(wire.MethodFileURLs, wire.FileURLs{Files: ids}, &list); err != nil {
			t.Fatal(err)
		}
		for id, u := range list.URLs {
			if u.URL == "" || u.Until == 0 || (u.Thumbnail != "") != (id == sent) {
				t.Errorf("%s: got %+v", id, u)
			}
			got = append(got, id)
		}
		slices.Sort(got)
		return got
	}
	all := []string{sent, unsent, unfinished, "../x", ""}
	if got := ask(alice, all...); !slices.Equal(got, []string{sent, unsent}) {
		t.Errorf("alice is told of %v", got)
	}
	if got := ask(bob, all...); !slices.Equal(got, []string{sent}) {
		t.Errorf("bob is told of %v", got)
	}
	if err := bob.ask(wire.MethodFileURLs, wire.FileURLs{Files: make([]string, mostFiles+1)}, nil); !refusal.Is(err, refusal.TooLarge) {
		t.Errorf("too many: got %v", err)
	}
}
