// Package load is the load generator: synthetic peers that publish and receive media as
// browsers do, and count what arrives.
//
// A Generator holds all peers of one target. Each does real ICE, DTLS and SRTP, reached by
// WHIP and WHEP, but peers share few UDP sockets that are read in batches, and one pacer
// sends for all publishers, so that one core stands for many hundreds of subscribers.
//
//	pacer ─▶ publisher ─▶ server ─▶ subscribers ─▶ meters
//
// The last bytes of each payload carry the time at which it was sent; the arrival is the
// kernel's receive time stamp, so a generator that is scheduled late does not make the
// server look slow. Run lets the publishers send, Received and Sent tell what happened since
// they were asked last.
//
// The package knows no target and no report. Peers with keys that are known beforehand
// (AddKeyedPublisher) do without a server's offer and answer: they are what a bare forwarder
// needs.
package load
