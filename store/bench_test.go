package store

import (
	"fmt"
	"sync/atomic"
	"testing"

	"carillon/chat"
)

// Durable, acknowledged messages: each sender waits for its answer before it sends the
// next, each pair has its own conversation.
func BenchmarkSend(b *testing.B) {
	for _, senders := range []int{1, 50} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			s, _ := open(b, Config{})
			s.deliver = func([]chat.UserEvent) {}
			c := chat.New(s, anyone)
			var next atomic.Int64
			wait := make(chan error, senders)
			b.ResetTimer()
			for i := range senders {
				from := chat.User{ID: fmt.Sprintf("from%d", i)}
				go func() {
					for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
						_, err := c.Send(b.Context(), from, chat.SendParams{To: fmt.Sprintf("to%d", i), ClientID: fmt.Sprintf("m%d", n), Text: "Is the blue one still available in size 42?"})
						if err != nil {
							wait <- err
							return
						}
					}
					wait <- nil
				}()
			}
			for range senders {
				if err := <-wait; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(b.N)/value(s.metrics.commits), "messages/commit")
		})
	}
}
