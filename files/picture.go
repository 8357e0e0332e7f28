package files

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoders of what people send
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

const (
	// thumbnailSide is the longest side of a thumbnail in pixels.
	thumbnailSide = 640
	// smallImage is the size up to which an image that is no larger than a thumbnail needs none.
	smallImage = 200 << 10
	// mostScans is how many scans a JPEG may have to get a thumbnail: usual are about ten.
	mostScans = 100
	// decodeTime is how long the bytes of an image may take to be decoded.
	decodeTime = 20 * time.Second
	// thumbnailQuality is that of JPEG, of 100.
	thumbnailQuality = 80
)

// picture is an image that was stripped.
type picture struct {
	width, height int // as shown
	thumbnail     string
}

// look reads how large an image is, and if that is at most so many pixels makes its thumbnail.
// Of an image that cannot be decoded it returns what it knows: browsers may know more.
func look(from *os.File, s stripped, mostPixels int, thumbnail io.Writer) (p picture, err error) {
	size, err := dimensions(from)
	if err != nil {
		return p, nil
	}
	p.width, p.height = size.Width, size.Height
	if s.orientation >= 5 { // it lies on its side
		p.width, p.height = p.height, p.width
	}
	info, err := from.Stat()
	if err != nil {
		return p, err
	}
	if max(p.width, p.height) <= thumbnailSide && info.Size() <= smallImage ||
		int64(p.width)*int64(p.height) > int64(mostPixels) || s.scans > mostScans {
		return p, nil
	}
	decoded, err := decode(from)
	if err != nil {
		return p, nil
	}
	p.thumbnail, err = writeThumbnail(thumbnail, shrink(decoded, s.orientation))
	return p, err
}

// dimensions reads no more of an image than says how large it is.
func dimensions(from *os.File) (image.Config, error) {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return image.Config{}, err
	}
	c, _, err := image.DecodeConfig(bufio.NewReader(from))
	if err == nil && (c.Width <= 0 || c.Height <= 0) {
		err = errBroken
	}
	return c, err
}

// decode decodes an image, the first of an animation.
func decode(from *os.File) (decoded image.Image, err error) {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	defer func() { // decoders of others read bytes of anyone
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("decode image: %v", panicked)
		}
	}()
	decoded, _, err = image.Decode(&hasty{from, time.Now().Add(decodeTime)})
	return decoded, err
}

// hasty is a reader that fails after a time.
type hasty struct {
	io.Reader
	until time.Time
}

func (h *hasty) Read(b []byte) (int, error) {
	if time.Now().After(h.until) {
		return 0, errors.New("the image takes too long to decode")
	}
	return h.Reader.Read(b[:min(len(b), 4096)])
}

// shrink makes a thumbnail, the right way up. It halves the image as long as that is too large: that
// looks at each pixel and needs little memory.
func shrink(from image.Image, orientation int) *image.RGBA {
	w, h := from.Bounds().Dx(), from.Bounds().Dy()
	wantW, wantH := w, h
	if long := max(w, h); long > thumbnailSide {
		wantW, wantH = max(1, w*thumbnailSide/long), max(1, h*thumbnailSide/long)
	}
	for w > 2*wantW || h > 2*wantH {
		w, h = max(wantW, (w+1)/2), max(wantH, (h+1)/2)
		from = scale(from, w, h)
	}
	return turn(scale(from, wantW, wantH), orientation)
}

func scale(from image.Image, w, h int) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(to, to.Rect, from, from.Bounds(), draw.Src, nil)
	return to
}

// turn shows an image as its orientation in EXIF says.
func turn(from *image.RGBA, orientation int) *image.RGBA {
	if orientation <= 1 || orientation > 8 {
		return from
	}
	w, h := from.Rect.Dx(), from.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			fromX, fromY := x, y
			switch orientation { // "the 0th row is at the visual …, the 0th column at the visual …", EXIF 2.32 section 4.6.4
			case 2: // top, right
				fromX = w - 1 - x
			case 3: // bottom, right
				fromX, fromY = w-1-x, h-1-y
			case 4: // bottom, left
				fromY = h - 1 - y
			case 5: // left, top
				fromX, fromY = y, x
			case 6: // right, top
				fromX, fromY = y, h-1-x
			case 7: // right, bottom
				fromX, fromY = w-1-y, h-1-x
			case 8: // left, bottom
				fromX, fromY = w-1-y, x
			}
			to.SetRGBA(x, y, from.RGBAAt(fromX, fromY))
		}
	}
	return to
}

// writeThumbnail encodes a thumbnail and returns its type.
func writeThumbnail(to io.Writer, small *image.RGBA) (string, error) {
	if small.Opaque() {
		return "image/jpeg", jpeg.Encode(to, small, &jpeg.Options{Quality: thumbnailQuality})
	}
	return "image/png", png.Encode(to, small) // what can be seen through stays so on any background
}
