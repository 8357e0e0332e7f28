package sfu

// redPrimary returns the primary block of a RED payload, which is its newest, for clients
// that cannot read RED. Not ok: the payload is malformed.
// https://www.rfc-editor.org/rfc/rfc2198#section-3
func redPrimary(b []byte) ([]byte, bool) {
	skip := 0
	for len(b) > 0 {
		if b[0]&0x80 == 0 {
			if b = b[1:]; skip > len(b) {
				return nil, false
			}
			return b[skip:], true
		}
		if len(b) < 4 {
			return nil, false
		}
		skip += int(b[2]&0x03)<<8 | int(b[3])
		b = b[4:]
	}
	return nil, false
}
