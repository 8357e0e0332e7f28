// Command server is carillon's TURN server as `go run ./bench/coturn` measures it: one address
// for UDP and TCP, one secret, no quota per user, since all clients are one user there.
package main

import (
	"log/slog"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"syscall"

	"carillon/turn"
)

func main() {
	s, err := turn.New(turn.Config{
		Secrets: []string{"secret"}, Realm: "bench", UDP: os.Args[1:2], TCP: os.Args[1:2],
		Quota:  turn.Quota{PerUser: -1, PerAddress: -1},
		Limits: turn.Limits{AnswersPerAddress: -1, Answers: -1},
	}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		slog.Error("start", "err", err)
		os.Exit(1)
	}
	if at := os.Getenv("PROFILE"); at != "" {
		go http.ListenAndServe(at, nil)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	s.Close()
}
