package store

import (
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync/atomic"

	"carillon/chat"
)

// write is one write on its way through an engine.
type write struct {
	// Fixed at construction.
	f       func(*tx) error
	sending *chat.Sending // what f sends, which can be sent with others; nil: it is not for that
	done    chan error    // holds the one answer

	taken atomic.Bool // the engine runs it, or its caller has given up
	err   error       // of f; owned by the engine until done
}

// result is what the caller of a write gets of its answer.
func (w *write) result(err error) error {
	if p, ok := errors.AsType[*panicked](err); ok {
		panic(p)
	}
	return err
}

// sendAll is a write that sends messages.
func sendAll(messages ...*chat.Sending) func(*tx) error {
	return func(tx *tx) error { return chat.SendAll(tx, messages) }
}

// parts divides a batch into writes that are done one by one, and runs of messages that are sent
// together, with what does them.
func parts(batch []*write) iter.Seq2[[]*write, func(*tx) error] {
	return func(yield func([]*write, func(*tx) error) bool) {
		for len(batch) > 0 {
			var messages []*chat.Sending
			for n := 0; n < len(batch) && batch[n].sending != nil; n++ {
				messages = append(messages, batch[n].sending)
			}
			n, f := max(len(messages), 1), batch[0].f
			if n > 1 {
				f = sendAll(messages...)
			}
			if !yield(batch[:n], f) {
				return
			}
			batch = batch[n:]
		}
	}
}

// panicked is the panic of one write on its way to the caller.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// try makes an error of a panic, so that it ends one write and not the engine.
func (tx *tx) try(f func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
	}()
	return f(tx)
}
