package main

import (
	"context"
	"fmt"
	"time"
)

// row is what one flood did to one binary.
type row struct {
	Flood  string `json:"flood"`
	Who    string `json:"who"`
	Binary string `json:"binary"`
	Got    string `json:"got"` // what the attacker got, in words

	Hello   figures `json:"hello"`   // from connecting to the greeting
	Message figures `json:"message"` // from sending until it is stored
	Media   figures `json:"media"`   // from one member of a call to another

	Cores   float64       `json:"cores"`          // that the server used during the flood
	Memory  memoryFigures `json:"memory"`         // of the server, in bytes
	Sockets int           `json:"sockets"`        // the most descriptors that the server had, beyond those before
	Disk    float64       `json:"disk"`           // by how many bytes per second the data folder grew
	Stop    time.Duration `json:"stop_ns"`        // how long the server took to stop afterwards
	Died    string        `json:"died,omitempty"` // the server did not survive
}

type memoryFigures struct {
	Before, Peak, After uint64
}

// figures of one thing that honest users did again and again.
type figures struct {
	Count  int           `json:"count"`
	Failed int           `json:"failed"` // of them
	Median time.Duration `json:"median_ns"`
	P99    time.Duration `json:"p99_ns"`
	Worst  time.Duration `json:"worst_ns"`
}

// settleTime is how long honest users have what they need before the flood begins.
const settleTime = time.Second

// measure floods one binary once.
func measure(ctx context.Context, p program, f flood, o options) (r row, err error) {
	r = row{Flood: f.name, Who: f.who, Binary: p.name}
	w, err := openWorld(ctx, p.path, f.tls)
	if err != nil {
		return r, err
	}
	defer func() {
		r.Stop = w.close()
	}()
	if err := w.openCall(ctx); err != nil {
		return r, fmt.Errorf("honest users: %w", err)
	}
	if f.prepare != nil {
		if err := f.prepare(ctx, w); err != nil {
			return r, fmt.Errorf("prepare: %w", err)
		}
	}
	sleep(ctx, settleTime)

	before := w.server.usage()
	watched := w.server.watch()
	window, cancel := context.WithTimeout(ctx, o.flood)
	defer cancel()
	began := time.Now()
	honest := w.beHonest(window)
	r.Got, err = f.run(window, w)
	if err != nil {
		honest()
		watched()
		return r, fmt.Errorf("flood: %w", err)
	}
	<-window.Done()
	took := time.Since(began).Seconds()
	after := w.server.usage()
	felt := honest() // waits for what is under way
	most := watched()
	r.Hello, r.Message, r.Media = felt.hello, felt.message, felt.media
	r.Cores = (after.processor - before.processor).Seconds() / took
	r.Disk = float64(after.disk-before.disk) / took
	r.Sockets = max(most.descriptors-before.descriptors, 0)
	if w.release != nil {
		w.release()
	}
	sleep(ctx, o.rest)
	r.Memory = memoryFigures{Before: before.memory, Peak: most.memory, After: w.server.usage().memory}
	if err := w.server.died(); err != nil {
		r.Died = err.Error()
	}
	return r, ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
