//go:build !linux

package pgtest

import "syscall"

// endWithTests does nothing where a process cannot ask for it: a server outlives tests that are
// killed.
func endWithTests(*syscall.SysProcAttr) {}
