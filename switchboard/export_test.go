package switchboard

// For the tests of owners, which need a real store: its package imports this one.
type (
	Owners   = owners
	Follower = follower
)

var (
	NewOwners  = newOwners
	ErrNotHere = errNotHere
)
