//go:build unix

package tcp

import "syscall"

// Descriptors is how many files this process may have open. (Go has raised the soft limit to
// the hard one.)
func Descriptors() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return manyDescriptors
	}
	return int(min(uint64(l.Cur), manyDescriptors))
}
