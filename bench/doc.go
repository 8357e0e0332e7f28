// Package bench measures media paths: what a server spends per forwarded packet,
// how late packets arrive, how many are lost, and when it is full.
//
// A run plans groups of rows (plan.go), starts the servers of a group (package target) with
// their peers (package load), measures them window by window (window.go), judges whether each
// window can be trusted (judge.go), and makes rows of the windows (rows.go) in a report
// (package report).
//
//	publisher ──SRTP──▶ target ──SRTP──▶ N subscribers
//	    └────────── one process, one clock ──────┘
//
// Targets of one row are alive at the same time and are measured in turns, beside the floor
// at the same fan-out: on a noisy machine the ratio to the floor is what can be repeated.
//
// It runs on Linux only: it needs recvmmsg, time stamps and /proc.
package bench
