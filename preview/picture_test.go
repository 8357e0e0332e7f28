package preview

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net/http"
	"testing"
)

// plain is a picture of one colour, as PNG.
func plain(t testing.TB, w, h int, c color.Color) []byte {
	t.Helper()
	img := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{c})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAPictureIsMadeSmallAndAnew(t *testing.T) {
	noise := *image.NewRGBA(image.Rect(0, 0, 900, 900))
	for i := range noise.Pix {
		noise.Pix[i] = byte(rand.Uint32())
	}
	var loud, moving, photo bytes.Buffer
	if err := png.Encode(&loud, &noise); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&moving, image.NewPaletted(image.Rect(0, 0, 100, 50), color.Palette{color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 1200, 630)), nil); err != nil {
		t.Fatal(err)
	}
	// What cameras write about themselves, and whoever else.
	secret := append([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00SECRET!!"), photo.Bytes()[2:]...)
	for name, row := range map[string]struct {
		data []byte
		w, h int
	}{
		"wide":    {plain(t, 1200, 630, color.White), 600, 315},
		"tall":    {plain(t, 20, 2000, color.White), 6, 600},
		"small":   {plain(t, 64, 64, color.White), 64, 64},
		"loud":    {loud.Bytes(), 600, 600},
		"GIF":     {moving.Bytes(), 100, 50},
		"EXIF":    {secret, 600, 315},
		"trailer": {append(plain(t, 64, 64, color.White), "SECRET!!"...), 64, 64},
	} {
		made, err := makePicture(t.Context(), row.data, 8_000_000)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, err := jpeg.Decode(bytes.NewReader(made.jpeg))
		if err != nil || img.Bounds().Dx() != row.w || img.Bounds().Dy() != row.h || made.width != row.w || made.height != row.h {
			t.Errorf("%s: got %v, %v, want %d by %d", name, img.Bounds(), err, row.w, row.h)
		}
		if len(made.jpeg) > pictureBytes || bytes.Contains(made.jpeg, []byte("SECRET")) {
			t.Errorf("%s: got %d bytes", name, len(made.jpeg))
		}
	}
	through, err := makePicture(t.Context(), plain(t, 64, 64, color.Transparent), 8_000_000)
	if err != nil {
		t.Fatal(err)
	}
	img, _ := jpeg.Decode(bytes.NewReader(through.jpeg))
	if r, _, _, _ := img.At(30, 30).RGBA(); r < 0xf000 {
		t.Errorf("what is transparent became %v, want white", img.At(30, 30))
	}
}

// withSize is a PNG that says it has another size.
func withSize(png []byte, w, h uint32) []byte {
	png = bytes.Clone(png)
	binary.BigEndian.PutUint32(png[16:], w)
	binary.BigEndian.PutUint32(png[20:], h)
	binary.BigEndian.PutUint32(png[29:], crc32.ChecksumIEEE(png[12:29]))
	return png
}

func TestAPictureThatIsTooLargeIsNotDecoded(t *testing.T) {
	small := plain(t, 64, 64, color.White)
	for name, data := range map[string][]byte{
		"a bomb":             withSize(small, 50_000, 50_000),
		"more than fits":     withSize(small, 1<<31-1, 1<<31-1),
		"a line":             withSize(small, 1, 1<<30),
		"a dot":              plain(t, 1, 1, color.White),
		"a little too large": plain(t, 4000, 2001, color.White),
		"a lie":              withSize(small, 2000, 2000),
		"no picture":         []byte("<svg onload=alert(1)>"),
		"the beginning":      small[:40],
		"nothing":            nil,
		"BMP":                []byte("BM\x46\x00\x00\x00"),
		"a WebP that lies":   []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\xff\xff\x00"),
	} {
		if made, err := makePicture(t.Context(), data, 8_000_000); err == nil {
			t.Errorf("%s became a picture of %d by %d", name, made.width, made.height)
		}
	}
}

// scans is a progressive JPEG of one colour, in which a scan of a few bytes that goes over all pixels is
// repeated.
func scans(side uint16, n int) []byte {
	segment := func(marker byte, data ...byte) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2)), data...)
	}
	var b []byte
	b = append(b, 0xff, 0xd8)
	b = append(b, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	b = append(b, segment(0xc2, 8, byte(side>>8), byte(side), byte(side>>8), byte(side), 1, 1, 0x11, 0)...)
	// One code in an AC table, a zero: 2^14 blocks and so many more as the next 14 bits say have nothing.
	b = append(b, segment(0xc4, append(append([]byte{0x10}, 1), append(make([]byte, 15), 0xe0)...)...)...)
	blocks := (int(side) + 7) / 8 * ((int(side) + 7) / 8)
	bits := 15 * (blocks/(1<<14) + 1)
	for range n {
		b = append(b, segment(0xda, 1, 1, 0x00, 1, 63, 0)...)
		b = append(b, make([]byte, (bits+7)/8)...)
	}
	return append(b, 0xff, 0xd9)
}

// Few bytes can make a decoder go over all pixels again and again: two megabytes for half an hour.
func TestAPictureOfManyScansIsNotDecoded(t *testing.T) {
	if made, err := makePicture(t.Context(), scans(64, mostScans), 8_000_000); err != nil || made.width != 64 {
		t.Errorf("a few scans: got %d, %v, want a picture", made.width, err)
	}
	if _, err := makePicture(t.Context(), scans(64, mostScans+1), 8_000_000); err == nil {
		t.Error("many scans became a picture")
	}
}

// A decoder ends with its time, whatever it does.
func TestADecoderEndsWithItsTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	data := plain(t, 640, 640, color.White)
	reader := &until{ctx, data}
	if n, err := reader.Read(make([]byte, 4096)); n == 0 || n > 512 || err != nil {
		t.Errorf("got %d bytes, %v, want a few", n, err)
	}
	cancel()
	if _, err := reader.Read(make([]byte, 4096)); err == nil {
		t.Error("it can be read on after the time")
	}
	if _, err := makePicture(ctx, data, 8_000_000); err == nil {
		t.Error("a picture was made after the time")
	}
}

func TestThePictureOfAPage(t *testing.T) {
	blue := plain(t, 1200, 630, color.RGBA{B: 255, A: 255})
	var w *world
	w = newWorld(t, func(out http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/graph":
			page200(out, `<title>x</title><link rel=icon href=/small.png><meta property="og:image" content="../blue.png">`)
		case "/elsewhere":
			page200(out, fmt.Sprintf(`<title>x</title><meta name="twitter:image" content="%s">`, w.url("cdn.example", "/moved")))
		case "/moved":
			http.Redirect(out, r, w.url("other.example", "/blue.png"), http.StatusFound)
		case "/icon":
			page200(out, `<title>x</title><link rel="shortcut icon" href=/small.png>`)
		case "/inside":
			page200(out, `<title>x</title><meta property="og:image" content="http://127.0.0.2/blue.png">`)
		case "/page":
			page200(out, `<title>x</title><meta property="og:image" content="/graph">`)
		case "/huge":
			page200(out, `<title>x</title><meta property="og:image" content="/huge.png">`)
		case "/huge.png":
			out.Header().Set("Content-Type", "image/png")
			_, _ = out.Write(append(blue, make([]byte, 3<<20)...))
		case "/blue.png":
			out.Header().Set("Content-Type", "image/png")
			_, _ = out.Write(blue)
		case "/small.png":
			out.Header().Set("Content-Type", "image/x-icon")
			_, _ = out.Write(plain(t, 32, 32, color.Black))
		default:
			http.NotFound(out, r)
		}
	}, nil)
	for path, width := range map[string]int{"/graph": 600, "/elsewhere": 600, "/icon": 32, "/inside": 0, "/page": 0, "/huge": 0, "/blue.png": 600} {
		p := w.get(w.url("shop.example", path))
		got := 0
		if p != nil && p.Picture != nil {
			got = p.Picture.Width
		}
		if p == nil || got != width {
			t.Errorf("%s: got %+v, want a picture of width %d", path, p, width)
		}
	}
}

func FuzzPicture(f *testing.F) {
	f.Add(plain(f, 64, 64, color.White))
	f.Add(withSize(plain(f, 64, 64, color.White), 5000, 5000))
	f.Add(scans(64, 3))
	f.Add([]byte("GIF89a\x10\x00\x10\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x10\x00\x10\x00\x00\x02\x02\x84\x51\x00;"))
	f.Add([]byte("RIFF\x24\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x0f\xc0\x03\x00\x07\x10\xfd\x8f\xfe\x07\x22\xa2\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		made, err := makePicture(t.Context(), data, 100_000)
		if err == nil && (len(made.jpeg) == 0 || len(made.jpeg) > pictureBytes || made.width > pictureSide || made.height > pictureSide) {
			t.Errorf("kept %d bytes of %d by %d", len(made.jpeg), made.width, made.height)
		}
	})
}
