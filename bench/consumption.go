package bench

import (
	"context"
	"errors"
	"os"
	"time"

	"carillon/bench/target"
)

// consumption is what server and generator used in a stretch of time.
type consumption struct {
	server, self target.Usage
	stolen       time.Duration // by the machine below, from all processors
	runtime      target.Runtime
}

// measureConsumption returns what was used while do ran. The target is asked about itself
// outside of what the kernel counts, since its answer costs processor time too.
func (b *testBed) measureConsumption(ctx context.Context, do func() error) (c consumption, err error) {
	before, err := b.askTarget(ctx)
	if err != nil {
		return c, err
	}
	start, err := b.readKernel()
	if err != nil {
		return c, err
	}
	if err := do(); err != nil {
		return c, err
	}
	if c, err = b.readKernel(); err != nil {
		return c, err
	}
	after, err := b.askTarget(ctx)
	if err != nil {
		return c, err
	}
	c.server, c.self, c.stolen = c.server.Since(start.server), c.self.Since(start.self), c.stolen-start.stolen
	c.runtime = after.Since(before)
	return c, nil
}

// readKernel reads what the kernel counted so far.
func (b *testBed) readKernel() (c consumption, err error) {
	if b.pid != 0 {
		if c.server, err = target.ReadUsage(b.pid); err != nil {
			return c, errors.Join(b.targetDied(), err)
		}
	}
	c.stolen = target.Stolen()
	c.self, err = target.ReadUsage(os.Getpid())
	return c, err
}

// askTarget reads what a built-in target counts itself.
func (b *testBed) askTarget(ctx context.Context) (target.Runtime, error) {
	if b.process == nil || b.process.Whole {
		return target.Runtime{}, nil
	}
	r, err := b.process.Runtime(ctx)
	if err != nil {
		return r, errors.Join(b.targetDied(), err)
	}
	return r, nil
}
