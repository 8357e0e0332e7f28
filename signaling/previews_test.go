package signaling

import (
	"testing"

	"carillon/chat"
	"carillon/limit"
	"carillon/wire"
)

// looking makes previews whose title is who asked, after calling it with the link.
type looking func(link string)

func (f looking) Get(payer limit.Payer, link string) (*chat.Preview, error) {
	f(link)
	return &chat.Preview{URL: link, Site: "shop.example", Title: payer.User}, nil
}

// Servers of strangers are slow. What else a tab asks does not wait for them.
func TestALookAtALinkHoldsUpNoMessage(t *testing.T) {
	w := newWorld(t, Config{})
	asked, goOn := make(chan string), make(chan struct{})
	w.previews = looking(func(link string) {
		asked <- link
		<-goOn
	})
	w.addNode(Config{}, w.bus)
	alice := w.open(1, "alice")
	found := make(chan wire.PreviewFound)
	go func() { // ends with the answer
		var p wire.PreviewFound
		if err := alice.ask(wire.MethodPreviewGet, wire.PreviewGet{URL: "https://shop.example/"}, &p); err != nil {
			t.Error(err)
		}
		found <- p
	}()
	if link := <-asked; link != "https://shop.example/" {
		t.Errorf("asked for %q", link)
	}
	if _, err := alice.Send(t.Context(), wire.MessageSend{To: "bob", Text: "not held up"}); err != nil {
		t.Error(err)
	}
	close(goOn)
	if p := <-found; p.Preview == nil || p.Preview.Title != "alice" {
		t.Errorf("got %+v", p)
	}
}
