package store

import (
	"context"
	"time"
)

const (
	// stepTime is how long a step of the janitor may keep others from writing.
	stepTime = 5 * time.Millisecond
	// stepMost is the largest step: more would save nothing.
	stepMost = 500
	// stepRest is how many times as long as a step the janitor then leaves to others.
	stepRest = 4
)

// pace finds how many rows a step may have: steps that took less than half of stepTime grow slowly,
// others shrink at once. It begins with one row.
type pace struct{ rows int }

func (p *pace) next() int { return max(1, p.rows) }

func (p *pace) took(rows int, d time.Duration) {
	switch {
	case d > stepTime/2:
		p.rows = max(1, rows/2)
	case d < stepTime/4 && rows >= p.next(): // a smaller step says nothing
		p.rows = min(stepMost, rows+rows/4+1)
	}
}

// step runs f in a write of its own, with the number of rows that it may change; it returns how many
// it has changed. Then it leaves the database to others for a while.
func (s *Store) step(ctx context.Context, conversation string, f func(tx *tx, most int) (rows int, err error)) (rows int, err error) {
	var took time.Duration
	most := s.pace.next()
	err = s.write(ctx, conversation, func(tx *tx) (err error) {
		began := time.Now()
		rows, err = f(tx, most)
		took = time.Since(began)
		return err
	})
	if err != nil {
		return 0, err
	}
	if rows > 0 {
		s.pace.took(rows, took)
		s.metrics.step.Observe(took.Seconds())
	}
	select {
	case <-ctx.Done():
		return rows, ctx.Err()
	case <-time.After(stepRest * took):
		return rows, nil
	}
}

// inSteps calls f with parts of a list, each in a write of its own.
func inSteps[T any](ctx context.Context, s *Store, list []T, f func(tx *tx, part []T) error) error {
	for len(list) > 0 {
		n, err := s.step(ctx, "", func(tx *tx, most int) (int, error) {
			part := list[:min(most, len(list))]
			return len(part), f(tx, part)
		})
		if err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}
