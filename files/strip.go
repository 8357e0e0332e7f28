package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Images tell where and when they were taken, with what, by whom, and sometimes show what was cut
// away of them. strip* copy an image without that, as it is otherwise: nothing is encoded anew, an
// animation stays one. What they do not know they leave out, so that nobody finds a new place to
// hide in. An image that is not built as it should be is an error; then it is a file like any other.

// stripped is what stripping an image has found out.
type stripped struct {
	orientation int // 1 to 8 as in EXIF; 0: none is told
	scans       int // of a JPEG: each costs who decodes it as much as the whole image
}

// strippers are by type. Images of other types are kept as they are.
var strippers = map[string]func(w *bufio.Writer, r *bufio.Reader) (stripped, error){
	"image/jpeg": stripJPEG,
	"image/png":  stripPNG,
	"image/gif":  stripGIF,
	"image/webp": stripWebP,
}

var errBroken = errors.New("the image is broken")

// broken is errBroken where the input ends too soon, and other errors as they are.
func broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errBroken
	}
	return err
}

// strip copies an image of a type that has a stripper.
func strip(found string, w io.Writer, r io.Reader) (stripped, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	s, err := strippers[found](out, bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return s, fmt.Errorf("strip %s: %w", found, broken(err))
	}
	return s, out.Flush()
}

// pass copies or leaves out the next n bytes.
func pass(w *bufio.Writer, r *bufio.Reader, n int64, keep bool) error {
	var to io.Writer = io.Discard
	if keep {
		to = w
	}
	_, err := io.CopyN(to, r, n)
	return err
}

// next reads n bytes.
func next(r *bufio.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
