package preview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	pictureSide  = 600      // the most that a picture is wide and high when it is kept
	pictureBytes = 60 << 10 // the most that it has
	pictureLeast = 16       // pixels of a side: what is smaller is there to count readers
)

// picture is one as it is kept and served: a JPEG that was made here, with nothing of what came in it but
// pixels.
type picture struct {
	jpeg          []byte
	width, height int
}

// format is a kind of picture that is read. Others may be registered with the package image by whoever
// links us; they are not read here.
type format struct {
	begins string
	scans  bool // it is JPEG
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"\xff\xd8\xff", true, jpeg.DecodeConfig, jpeg.Decode},
	{"\x89PNG\r\n\x1a\n", false, png.DecodeConfig, png.Decode},
	{"GIF8", false, gif.DecodeConfig, gif.Decode}, // the first frame
	{"RIFF", false, webp.DecodeConfig, webp.Decode},
}

// mostScans is how many passes over its pixels a JPEG may take to decode; those of cameras and of
// the usual tools have some ten. A scan takes twenty bytes and, of a large picture, twenty milliseconds.
const mostScans = 32

var startOfScan = []byte{0xff, 0xda}

var errNoPicture = errors.New("is no picture that can be read")

// makePicture decodes a picture, makes it small and encodes it anew. Its size is looked at before
// anything is decoded; ctx bounds the time, since few bytes can make a decoder work for long.
func makePicture(ctx context.Context, data []byte, mostPixels int) (picture, error) {
	for _, f := range formats {
		if !bytes.HasPrefix(data, []byte(f.begins)) {
			continue
		}
		size, err := f.config(bytes.NewReader(data))
		if err != nil {
			return picture{}, err
		}
		if size.Width < pictureLeast || size.Height < pictureLeast || size.Width > mostPixels/size.Height {
			return picture{}, fmt.Errorf("a picture of %d by %d pixels", size.Width, size.Height)
		}
		if f.scans && bytes.Count(data, startOfScan) > mostScans {
			return picture{}, errors.New("a picture of too many scans")
		}
		decoded, err := f.decode(&until{ctx, data})
		if err != nil {
			return picture{}, err
		}
		if ctx.Err() != nil {
			return picture{}, ctx.Err()
		}
		return encode(shrink(decoded))
	}
	return picture{}, errNoPicture
}

// until reads bytes in small parts until a context ends.
type until struct {
	ctx  context.Context
	data []byte
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	if len(u.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 512)], u.data)
	u.data = u.data[n:]
	return n, nil
}

// shrink fits a picture into pictureSide, on white where it is transparent. A smaller one keeps its
// size.
func shrink(from image.Image) *image.RGBA {
	b := from.Bounds()
	w, h := b.Dx(), b.Dy()
	if w > pictureSide || h > pictureSide {
		if w >= h {
			w, h = pictureSide, max(1, h*pictureSide/w)
		} else {
			w, h = max(1, w*pictureSide/h), pictureSide
		}
	}
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(to, to.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.BiLinear.Scale(to, to.Bounds(), from, b, draw.Over, nil)
	return to
}

// encode finds the best quality of which the bytes can be kept.
func encode(img *image.RGBA) (picture, error) {
	for _, quality := range []int{82, 70, 55, 40, 25} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return picture{}, err
		}
		if b.Len() <= pictureBytes {
			return picture{b.Bytes(), img.Bounds().Dx(), img.Bounds().Dy()}, nil
		}
	}
	return picture{}, errors.New("a picture that does not get small")
}
