package main

import (
	"context"
	"log/slog"

	"carillon/refusal"
)

// storageOnce leaves out what others log about a database that does not do its work: the store says
// it itself, once a minute, and each of them would add a line for whatever it cannot read meanwhile.
type storageOnce struct{ slog.Handler }

func (h storageOnce) Handle(ctx context.Context, r slog.Record) error {
	of := false
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		of = ok && refusal.Is(err, refusal.StorageFailed)
		return !of
	})
	if of {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h storageOnce) WithAttrs(attrs []slog.Attr) slog.Handler {
	return storageOnce{h.Handler.WithAttrs(attrs)}
}

func (h storageOnce) WithGroup(name string) slog.Handler {
	return storageOnce{h.Handler.WithGroup(name)}
}
