// Package sfu forwards the media of calls. It is the only package that sees RTP.
//
// A [Room] holds the [Peer]s of one call; a peer is one leg's PeerConnection. A peer
// publishes sources (microphone, camera, screen), each in one or more layers, and
// watches through slots. A slot is one outgoing stream that shows whichever source
// and layer it is assigned: who joins, leaves, mutes or speaks never renegotiates.
//
//	publisher ─UDP─▶ pion ─▶ layer loop ─▶ ring          (one per layer, shared)
//	                             │           ▲ NACK
//	                             ├▶ slot ────┴▶ pion ─▶ udp queue ─▶ subscriber
//	                             └▶ slot …
//
// The client always offers and the server always answers, so offers never collide.
// The first sending audio line is the microphone, the second the sound of the screen;
// the first sending video line is the camera, the second the screen. Each receive-only
// line becomes a slot. A peer that only sends (WHIP) or only receives (WHEP) is no
// special case.
//
// A layer's loop reads, keeps the packet in the ring and hands it to each slot of its
// list, which is replaced and never edited. A slot rewrites the header in its own
// memory: sequence numbers, time stamps and VP8 picture ids go on over every switch,
// and a switch happens at a key frame only. What decides is in plain structs: numbers
// (rewriter), losses (losses), key-frame requests (keyRequests), layers (pickLayer),
// who is heard (loudest) and seen (seats).
//
// Limits: one process holds a room; there is no bandwidth estimator yet, a slot steps
// down a layer when its loss passes a quarter.
package sfu
