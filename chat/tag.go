package chat

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Tag is random and made by the server with each change. It tells two histories apart which have
// a change of the same number, such as that of a restored backup. Zero is none.
type Tag int64

// NewTag makes the tag of a change.
func NewTag() Tag {
	var b [8]byte
	rand.Read(b[:]) // it never fails
	return Tag(binary.BigEndian.Uint64(b[:]) | 1)
}

// MarshalText writes the tag as 16 hexadecimal digits: JavaScript has no integers of 64 bits.
func (t Tag) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, binary.BigEndian.AppendUint64(nil, uint64(t))), nil
}

// UnmarshalText reads what MarshalText wrote.
func (t *Tag) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != 8 {
		return fmt.Errorf("tag %q has not 16 hexadecimal digits", text)
	}
	*t = Tag(binary.BigEndian.Uint64(b))
	return nil
}
