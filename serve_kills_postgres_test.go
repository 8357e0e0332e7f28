//go:build !race

package main

import "testing"

// Three nodes, and what they run on, are too much for the race detector on a small machine. It sees
// the same code in the test of one.
func TestRandomKillsOfThreeNodesLoseAndDoubleNothing(t *testing.T) {
	crowdUnderKills(startSite(t, 3))
}
