package files

import (
	"bufio"
	"io"
	"slices"
)

// Blocks of GIF89a.
const (
	gifImage       = 0x2C
	gifExtension   = 0x21
	gifTrailer     = 0x3B
	gifControl     = 0xF9 // how the next image is drawn
	gifApplication = 0xFF
)

// gifLoops are the applications whose extension says how often an animation runs.
var gifLoops = []string{"NETSCAPE2.0", "ANIMEXTS1.0"}

// stripGIF leaves out comments, text, and what applications have put in.
func stripGIF(w *bufio.Writer, r *bufio.Reader) (s stripped, err error) {
	header, err := next(r, 13)
	if err != nil || string(header[:3]) != "GIF" {
		return s, errBroken
	}
	w.Write(header) // errors of w come with Flush
	if err := pass(w, r, gifTable(header[10]), true); err != nil {
		return s, err
	}
	for {
		block, err := r.ReadByte()
		switch {
		case err == io.EOF || err == nil && block == gifTrailer:
			return s, w.WriteByte(gifTrailer)
		case err != nil:
			return s, err
		case block == gifImage:
			if err := copyGIFImage(w, r); err != nil {
				return s, err
			}
		case block == gifExtension:
			if err := passExtension(w, r); err != nil {
				return s, err
			}
		default:
			return s, errBroken
		}
	}
}

// gifTable is how many bytes the table of colours has of which a packed field tells.
func gifTable(packed byte) int64 {
	if packed&0x80 == 0 {
		return 0
	}
	return 3 << (packed&7 + 1)
}

func copyGIFImage(w *bufio.Writer, r *bufio.Reader) error {
	descriptor, err := next(r, 9)
	if err != nil {
		return err
	}
	w.WriteByte(gifImage)
	w.Write(descriptor)
	if err := pass(w, r, gifTable(descriptor[8])+1, true); err != nil { // and the size of codes
		return err
	}
	return passParts(w, r, true)
}

func passExtension(w *bufio.Writer, r *bufio.Reader) error {
	head, err := r.Peek(13)
	if err != nil && len(head) < 2 {
		return err
	}
	label := head[0]
	keep := label == gifControl || label == gifApplication && len(head) == 13 && head[1] == 11 && slices.Contains(gifLoops, string(head[2:]))
	if keep {
		w.WriteByte(gifExtension)
	}
	if err := pass(w, r, 1, keep); err != nil {
		return err
	}
	return passParts(w, r, keep)
}

// passParts copies or leaves out parts, each with its size before it, up to the empty one.
func passParts(w *bufio.Writer, r *bufio.Reader, keep bool) error {
	for {
		size, err := r.ReadByte()
		if err != nil {
			return err
		}
		if keep {
			w.WriteByte(size)
		}
		if size == 0 {
			return nil
		}
		if err := pass(w, r, int64(size), keep); err != nil {
			return err
		}
	}
}
