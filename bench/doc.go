// Package bench measures media paths: what a server spends per forwarded packet,
// how late packets arrive, how many are lost, and when it is full.
//
// A run has three kinds of processes. The targets are servers, each in a process of
// its own: Carillon, the plain pion fan-out, the floor (bare sockets with SRTP), or any
// WHIP/WHEP server somewhere. The generator is this process: synthetic peers that do
// real ICE, DTLS and SRTP but read through few shared sockets in batches, so that one
// core stands for many hundreds of subscribers.
//
//	publisher ──SRTP──▶ target ──SRTP──▶ N subscribers
//	    └────────── one process, one clock ──────┘
//
// The last bytes of each payload carry the time at which it was sent; the arrival
// is the kernel's receive time stamp, so a generator that is scheduled late does
// not make the server look slow. Targets of one row are alive at the same time and are
// measured in turns, window by window, beside the floor at the same fan-out: on a
// noisy machine the ratio to the floor is what can be repeated.
//
// It runs on Linux only: it needs recvmmsg, time stamps and /proc.
package bench
