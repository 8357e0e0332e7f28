// Package target is what is measured: servers in processes of their own, and what the
// kernel knows about those processes.
//
// A built-in target is the own binary again with a hidden sub-command (Serve is its body,
// Start runs it): Carillon's SFU and TURN server, the plain fan-out that pion's examples
// show, or the floor, which forwards with bare sockets and SRTP and nothing else. A Server is
// a whole Carillon, for messages and rings. A Spec may also name a server that runs already,
// here or elsewhere.
//
// Usage, ResidentMemory and CountInstructions read what a process costs.
package target
