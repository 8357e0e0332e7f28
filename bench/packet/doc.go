// Package packet is what both ends of a measurement do with one RTP packet: read its header
// without a copy, follow the sequence numbers of its stream, and open and seal it with SRTP.
// The generator and the floor use the same code, so neither is faster for its own reasons.
package packet
