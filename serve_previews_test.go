package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// A page on an intranet that the operator allows. Its picture is a PNG of 64 by 64 pixels.
const intranetPage = `<!doctype html><head><meta property="og:title" content="The blue one"><meta property="og:image" content="/blue.gif"></head>`

var blueGIF = []byte("GIF89a\x10\x00\x10\x00\x80\x00\x00\x00\x00\xff\xff\xff\xff,\x00\x00\x00\x00\x10\x00\x10\x00\x00\x02\x0e\x84\x8f\xa9\xcb\xed\x0f\xa3\x9c\xb4\xda\x8b\xb3>\x05\x00;")

// A link in a message becomes a card for everyone, with a picture that this server serves, and for a
// day nobody asks the site again. Nothing of it happens for a private address that is not allowed, nor for who wants no preview.
func TestALinkIsPreviewedByTheServer(t *testing.T) {
	var asked atomic.Int32
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/blue.gif" {
			w.Header().Set("Content-Type", "image/gif")
			_, _ = w.Write(blueGIF)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, intranetPage)
	}))
	defer pages.Close()
	data := t.TempDir()
	port := fmt.Sprint(pages.Listener.Addr().(*net.TCPAddr).Port)
	p := start(t, []string{"CARILLON_PREVIEWS_ALLOW_ADDRESSES=127.0.0.1", "CARILLON_PREVIEWS_PORTS=80,443," + port}, append(anyPorts, "--data", data)...)
	alice := p.dial(t, data, "alice")
	link := pages.URL + "/blue"

	var ours wire.PreviewFound
	private := p.urls["private"] + "/metrics"
	if err := alice.Request(t.Context(), wire.MethodPreviewGet, wire.PreviewGet{URL: private}, &ours); err != nil || ours.Preview != nil {
		t.Errorf("the private listener: got %+v, %v, want nothing", ours.Preview, err)
	}
	without, err := alice.Send(t.Context(), wire.MessageSend{To: "bob", ClientID: "without", Text: link, NoPreview: true})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := alice.Send(t.Context(), wire.MessageSend{To: "bob", ClientID: "with", Text: "See " + link})
	if err != nil {
		t.Fatal(err)
	}
	bob := p.dial(t, data, "bob")
	var shown chat.Message
	until(t, "the preview", func() bool {
		for _, m := range historyOf(t, bob) {
			if m.Seq == sent.Seq {
				shown = m
			}
			if m.Seq == without.Seq && m.Preview != nil {
				t.Errorf("a preview nobody wanted: %s", m.Preview)
			}
		}
		return shown.Preview != nil
	})
	var card chat.Preview
	if err := json.Unmarshal(shown.Preview, &card); err != nil || card.Title != "The blue one" || card.URL != link || card.Picture == nil || card.Picture.Width != 16 {
		t.Fatalf("got %s, %v", shown.Preview, err)
	}
	if status, picture := get(t, p.urls["http"]+"/previews/"+card.Picture.Key+".jpg"); status != http.StatusOK || !strings.HasPrefix(picture, "\xff\xd8\xff") {
		t.Errorf("the picture: got %d, %.10q", status, picture)
	}
	var found wire.PreviewFound
	if err := bob.Request(t.Context(), wire.MethodPreviewGet, wire.PreviewGet{URL: link}, &found); err != nil || found.Preview == nil || *found.Preview.Picture != *card.Picture {
		t.Errorf("asked for before it is sent: got %+v, %v, want the same", found.Preview, err)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("the site was asked %d times, want 2: for the page and its picture", n)
	}
	p.stop(t)

	p = start(t, nil, append(anyPorts, "--data", data)...)
	alice = p.dial(t, data, "alice")
	found = wire.PreviewFound{}
	if err := alice.Request(t.Context(), wire.MethodPreviewGet, wire.PreviewGet{URL: link + "/other"}, &found); err != nil || found.Preview != nil {
		t.Errorf("not allowed: got %+v, %v, want nothing", found.Preview, err)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("a server that allows no private address asked one %d times", n-2)
	}
	if err := alice.Request(t.Context(), wire.MethodPreviewGet, wire.PreviewGet{URL: "http://0x7f.1/"}, &found); !refusal.Is(err, refusal.BadRequest) {
		t.Errorf("a strange address: %v, want bad_request", err)
	}
}
