package pgtest

import "syscall"

// endWithTests ends the server with the tests, also with those that are killed because they took
// too long.
func endWithTests(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGINT }
