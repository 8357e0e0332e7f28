// Package consent lets media go to nobody who did not ask for it.
//
// As an ICE-lite agent, pion sends a leg's media wherever an authenticated connectivity check
// came from, and never asks whether anybody is there. The source of a datagram is easily
// forged: a client could turn its media, and what its NACKs ask for, on anyone. So a [Gate]
// stands between the media socket and pion, and does for each address what a full agent does:
//
//	client ──request──▶ gate              the gate answers at once, and asks a question of its own
//	client ◀──check──── gate              with a transaction id that only that address gets to see
//	client ──answer───▶ gate              now the address is proven
//	                    gate ──request──▶ pion    the newest request, which was held until then
//	client ◀──media──── gate ◀──media──── pion    and only to proven addresses of this leg
//
// Until it is proven an address gets at most three times the bytes that came from it, and pion
// is shown nothing of it. So what leaves for it are answers and checks of the gate's, and
// never DTLS, SCTP, RTCP or media.
//
// An answer counts for 30 seconds. In that time the gate asks again the address that the
// media goes to, and each other that something is sent to; without a new answer everything
// stops (RFC 7675). A client that is still there asks sooner or later, and begins anew.
//
// A client whose NAT gives it another port goes on with checks from there, which do not
// always nominate: Firefox believes that it still has the one pair it nominated. When nothing
// comes from the old address for a second, though both are asked, the proven new one gets its
// place: the gate shows pion the client's own request with a nomination in it.
//
// The same holds for ICE-TCP, except that a connection has proved its address by its
// handshake: it begins proven, and is asked like all others while it is used.
//
// What is decided about one address ([address]) reads no clock and sends nothing.
package consent
