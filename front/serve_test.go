package front

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// Half a request is not under way, and is not waited for; one that is answered just now is.
func TestServingEndsWithTheRequestsUnderWay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, release := make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-release
			io.WriteString(w, "done")
		}), quiet)
	}()
	for _, first := range []string{"", "GET / HTTP/1.1\r\nHost:"} {
		c := connect(t, l.Addr().String(), "127.0.0.1")
		defer c.Close()
		io.WriteString(c, first)
	}
	answered := make(chan string, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer answer.Body.Close()
		b, _ := io.ReadAll(answer.Body)
		answered <- string(b)
	}()
	<-arrived
	stop()
	close(release)
	if got := <-answered; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(finishTime - time.Second):
		t.Error("it waits for who has asked for nothing")
		<-served
	}
}
