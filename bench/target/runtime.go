package target

// Runtime is what a built-in target counts itself, since its start.
type Runtime struct {
	Mallocs uint64 `json:"mallocs"` // heap objects allocated
	// Of the media socket, where it counts them: 0 is unknown.
	Writes    uint64 `json:"writes,omitempty"` // system calls
	Datagrams uint64 `json:"out,omitempty"`    // datagrams sent
}

// Since returns what was counted since an earlier reading.
func (r Runtime) Since(before Runtime) Runtime {
	return Runtime{Mallocs: r.Mallocs - before.Mallocs, Writes: r.Writes - before.Writes, Datagrams: r.Datagrams - before.Datagrams}
}
