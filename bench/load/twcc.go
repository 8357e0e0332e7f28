package load

import "encoding/binary"

// arrivals remembers when packets with transport-wide numbers came, until the next feedback
// tells the server. The lock of the peer's meter guards it.
type arrivals struct {
	started bool
	base    int64 // first number not yet reported
	next    int64 // one after the highest that came
	at      [arrivalLimit]int64
	count   uint8 // of feedbacks sent
}

// arrivalLimit is how many packets one feedback covers. Packets beyond are not reported.
const arrivalLimit = 1024

func (a *arrivals) record(number uint16, at int64) {
	if !a.started {
		a.started, a.base, a.next = true, int64(number), int64(number)
	}
	n := a.next + int64(int16(number-uint16(a.next)))
	if n < a.base || n-a.base >= arrivalLimit {
		return
	}
	for ; a.next <= n; a.next++ {
		a.at[a.next%arrivalLimit] = 0
	}
	a.at[n%arrivalLimit] = at
}

// feedback writes the transport-wide feedback packet on all that came since the
// last, appended to dst; dst itself when nothing did.
// https://datatracker.ietf.org/doc/html/draft-holmer-rmcat-transport-wide-cc-extensions-01#section-3.1
func (a *arrivals) feedback(dst []byte, sender, media uint32) []byte {
	count := int(a.next - a.base)
	if !a.started || count == 0 {
		return dst
	}
	start := len(dst)
	reference := a.firstArrival() / 64e6 // in 64 ms
	dst = binary.BigEndian.AppendUint32(dst, 15<<24|205<<16|0x80000000)
	dst = binary.BigEndian.AppendUint32(dst, sender)
	dst = binary.BigEndian.AppendUint32(dst, media)
	dst = binary.BigEndian.AppendUint16(dst, uint16(a.base))
	dst = binary.BigEndian.AppendUint16(dst, uint16(count))
	dst = append(dst, byte(reference>>16), byte(reference>>8), byte(reference), a.count)
	a.count++

	// One vector chunk per seven packets, two bits each: 0 lost, 1 small delta, 2 large.
	var deltas [arrivalLimit * 2]byte
	used := 0
	last := reference * 256 // in 250 µs
	for i := 0; i < count; i += 7 {
		chunk := uint16(3 << 14)
		for j := range 7 {
			if i+j >= count {
				break
			}
			at := a.at[(a.base+int64(i+j))%arrivalLimit]
			if at == 0 {
				continue
			}
			delta := at/250e3 - last
			last += delta
			shift := 12 - 2*j
			if delta >= 0 && delta <= 255 {
				chunk |= 1 << shift
				deltas[used] = byte(delta)
				used++
				continue
			}
			delta = min(max(delta, -32768), 32767)
			chunk |= 2 << shift
			binary.BigEndian.PutUint16(deltas[used:], uint16(int16(delta)))
			used += 2
		}
		dst = binary.BigEndian.AppendUint16(dst, chunk)
	}
	dst = append(dst, deltas[:used]...)
	a.base = a.next

	if pad := -(len(dst) - start) & 3; pad > 0 {
		dst = append(dst, make([]byte, pad)...)
		dst[len(dst)-1] = byte(pad)
		dst[start] |= 0x20
	}
	binary.BigEndian.PutUint16(dst[start+2:], uint16((len(dst)-start)/4-1))
	return dst
}

func (a *arrivals) firstArrival() int64 {
	for n := a.base; n < a.next; n++ {
		if at := a.at[n%arrivalLimit]; at != 0 {
			return at
		}
	}
	return 0
}
