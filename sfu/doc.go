// Package sfu forwards the media of calls. It is the only package that sees RTP.
//
// A [Room] holds the [Peer]s of one call; a peer is one leg's PeerConnection. A peer
// publishes sources (microphone, camera, screen), each in one or more layers, and
// receives through slots. A slot is one outgoing stream that shows whichever source
// and layer it is assigned: nobody who joins, leaves, mutes or speaks causes a new offer.
//
//	publisher ─UDP─▶ gate ─▶ pion ─▶ layer loop ─▶ packet buffer    (one per layer, shared)
//	                                     │             ▲ NACK
//	                                     ├▶ slot ──────┴▶ pion ─▶ gate ─▶ udp queue ─▶ subscriber
//	                                     └▶ slot …
//
// The gate (package consent) lets media leave only for addresses that want it. Why it is as
// it is, and other decisions, stand in DESIGN.md.
//
// The client always offers and the server always answers, so offers never collide.
// The first sending audio line is the microphone, the second the sound of the screen;
// the first sending video line is the camera, the second the screen. Each receive-only
// line becomes a slot. A peer that only sends (WHIP) or only receives (WHEP) is no
// special case.
//
// A layer's loop reads a packet, keeps it in the packet buffer and hands it to each slot
// of its list, which is replaced and never edited. A slot rewrites the header in its own
// memory: sequence numbers, time stamps and VP8 picture ids continue over every switch
// of source or layer, and a switch happens at a key frame only. For each packet the loop
// takes the locks of its packet buffer and of the layer, and for each slot the lock of the
// slot. Others take these locks only while a slot switches, repairs or reports, and at each
// tick. The lock of the room is never taken for a packet, and nothing is allocated per packet
// and slot.
//
// A slot sends nothing before its peer is connected. It then begins with a key frame: the
// one that was requested when the offer was answered, if it has come by now, with all
// packets since; else with the next one, which is requested at once.
//
// Decisions are plain structs that read no clock and send nothing: the numbers of outgoing
// packets (rewriter), which packets to ask for again (losses), when to request a key frame
// (keyFrameRequests), which layer a slot shows (chooseLayer), who speaks (speaker), and
// which sources get slots (assignSlots).
//
// A peer, its slots and the lines of its offers count against the quota of who pays for it, a
// user at an address, from Join until it is closed. One that is not connected in time is
// closed.
//
// Limits: one process holds a room; there is no bandwidth estimator yet, a slot goes down
// a layer when its loss passes a quarter (stepDown).
package sfu
