package target

// Runtime is what a target of ours tells about itself.
type Runtime struct {
	Mallocs uint64 `json:"mallocs"` // heap objects allocated since the start
	// Of the media socket, where it counts them: 0 is unknown.
	Reads  uint64 `json:"reads,omitempty"` // system calls
	Writes uint64 `json:"writes,omitempty"`
	Out    uint64 `json:"out,omitempty"` // datagrams sent
}

func (r Runtime) Since(before Runtime) Runtime {
	return Runtime{Mallocs: r.Mallocs - before.Mallocs, Reads: r.Reads - before.Reads, Writes: r.Writes - before.Writes, Out: r.Out - before.Out}
}
