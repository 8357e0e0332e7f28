package files

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/webp"
)

// secret is what images of tests tell, in each place that there is for it.
const secret = "51.5007 N 0.1246 W"

// gradient is an image of which each corner has another colour.
func gradient(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), 60, 255})
		}
	}
	return m
}

func encoded(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func segment(marker byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(text)+2)), text...)
}

// photo is a JPEG as a telephone makes it: with EXIF, XMP, a comment, a colour profile, an end, and
// another image after it.
func photo(t testing.TB, w, h, orientation int) []byte {
	t.Helper()
	plain := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, gradient(w, h), nil) })
	exif := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00" +
		"\x0f\x01\x02\x00" + string([]byte{byte(len(secret)), 0, 0, 0, 38, 0, 0, 0}) +
		"\x12\x01\x03\x00\x01\x00\x00\x00" + string([]byte{byte(orientation), 0, 0, 0}) + "\x00\x00\x00\x00" + secret
	return bytes.Join([][]byte{
		plain[:2], segment(jpegAPP0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01"+"\xff\xff\xff"),
		segment(jpegAPP1, exif), segment(jpegAPP1, "http://ns.adobe.com/xap/1.0/\x00"+secret), segment(jpegAPP2, "ICC_PROFILE\x00\x01\x01colours"),
		segment(jpegAPP2, "MPF\x00"+secret), segment(0xED, "Photoshop 3.0\x00"+secret), segment(jpegCOM, secret),
		plain[2:], []byte(secret), plain,
	}, nil)
}

func chunk(kind, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, kind+data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(kind+data))))
}

func pngWithText(t testing.TB, m image.Image) []byte {
	t.Helper()
	plain := string(encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }))
	head, rest := plain[:33], plain[33:] // the signature and IHDR
	return []byte(head + chunk("tEXt", "Location\x00"+secret) + chunk("gAMA", "\x00\x00\xb1\x8f") + chunk("eXIf", "MM\x00*"+secret) +
		chunk("iTXt", secret) + chunk("prVt", secret) + rest + secret)
}

func gifWithText(t testing.TB) []byte {
	t.Helper()
	all := &gif.GIF{LoopCount: 3}
	for i := range 3 {
		m := image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{color.Black, color.White})
		m.SetColorIndex(i, i, 1)
		all.Image, all.Delay = append(all.Image, m), append(all.Delay, 10*(i+1))
	}
	plain := string(encoded(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, all) }))
	head := 13 + int(gifTable(plain[10]))
	comment := "\x21\xfe" + string(rune(len(secret))) + secret + "\x00"
	xmp := "\x21\xff\x0bXMP DataXMP" + string(rune(len(secret))) + secret + "\x00"
	return []byte(plain[:head] + comment + xmp + plain[head:] + secret)
}

func webpWithText(t testing.TB) []byte {
	t.Helper()
	plain, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	part := func(kind, data string) string {
		b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
		return string(append(b, data...)) + strings.Repeat("\x00", len(data)%2)
	}
	body := "WEBP" + part("VP8X", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00") + string(plain[12:]) + part("EXIF", secret) + part("XMP ", secret+"!")
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body+secret...)
}

func stripBytes(kind string, content []byte) ([]byte, stripped, error) {
	var out bytes.Buffer
	s, err := strip(kind, &out, bytes.NewReader(content))
	return out.Bytes(), s, err
}

// An image tells nothing but what it shows, and shows the same as before.
func TestImagesTellNothingButWhatTheyShow(t *testing.T) {
	pixels := func(kind string, content []byte) string {
		t.Helper()
		switch kind {
		case "image/gif":
			all, err := gif.DecodeAll(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(all.LoopCount, all.Delay, len(all.Image), all.Image[2].Pix)
		case "image/webp":
			m, err := webp.Decode(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%v", m)
		}
		m, _, err := image.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%v", m)
	}
	for kind, content := range map[string][]byte{
		"image/jpeg": photo(t, 40, 30, 6), "image/png": pngWithText(t, gradient(40, 30)), "image/gif": gifWithText(t), "image/webp": webpWithText(t),
	} {
		if !bytes.Contains(content, []byte(secret)) {
			t.Fatalf("%s of the test tells nothing", kind)
		}
		clean, _, err := stripBytes(kind, content)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if bytes.Contains(clean, []byte(secret)) {
			t.Errorf("%s tells where it was taken", kind)
		}
		if kind != "image/webp" && pixels(kind, clean) != pixels(kind, content) || kind == "image/webp" && pixels(kind, clean) == "" {
			t.Errorf("%s shows something else", kind)
		}
		again, _, err := stripBytes(kind, clean)
		if err != nil || !bytes.Equal(again, clean) {
			t.Errorf("%s stripped twice: %v, or it has changed again", kind, err)
		}
	}
	clean, s, err := stripBytes("image/jpeg", photo(t, 40, 30, 6))
	if err != nil || s.orientation != 6 || !bytes.Contains(clean, exifWith(6)) || !bytes.Contains(clean, []byte("ICC_PROFILE")) {
		t.Errorf("a JPEG has lost which way up it is, or its colours: %+v, %v", s, err)
	}
	if clean, _, err := stripBytes("image/png", pngWithText(t, gradient(4, 3))); err != nil || !bytes.Contains(clean, []byte("gAMA")) {
		t.Errorf("a PNG has lost its colours: %v", err)
	}
}

// A JPEG whose end is missing is shown by everyone, so it stays one.
func TestAJPEGWithoutEndGetsOne(t *testing.T) {
	plain := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, gradient(40, 30), nil) })
	for _, cut := range []int{2, 1, 10} {
		clean, _, err := stripBytes("image/jpeg", plain[:len(plain)-cut])
		if err != nil || !bytes.HasSuffix(clean, []byte{0xFF, jpegEOI}) {
			t.Errorf("without its last %d bytes: %v", cut, err)
		}
	}
}

// Each of the eight orientations shows the image the same way up.
func TestThumbnailsAreTheRightWayUp(t *testing.T) {
	upright := gradient(4, 3)
	lie := map[int]func(x, y int) (int, int){ // where a pixel lies in the file
		1: func(x, y int) (int, int) { return x, y }, 2: func(x, y int) (int, int) { return 3 - x, y },
		3: func(x, y int) (int, int) { return 3 - x, 2 - y }, 4: func(x, y int) (int, int) { return x, 2 - y },
		5: func(x, y int) (int, int) { return y, x }, 6: func(x, y int) (int, int) { return y, 3 - x },
		7: func(x, y int) (int, int) { return 2 - y, 3 - x }, 8: func(x, y int) (int, int) { return 2 - y, x },
	}
	for orientation := 1; orientation <= 8; orientation++ {
		stored := image.NewRGBA(image.Rect(0, 0, 4, 3))
		if orientation >= 5 {
			stored = image.NewRGBA(image.Rect(0, 0, 3, 4))
		}
		for y := range 3 {
			for x := range 4 {
				atX, atY := lie[orientation](x, y)
				stored.SetRGBA(atX, atY, upright.RGBAAt(x, y))
			}
		}
		if got := turn(stored, orientation); got.Rect != upright.Rect || !bytes.Equal(got.Pix, upright.Pix) {
			t.Errorf("orientation %d: got %v", orientation, got.Pix)
		}
	}
}

func lookAt(t testing.TB, kind string, content []byte, most int) (picture, []byte) {
	t.Helper()
	clean, s, err := stripBytes(kind, content)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(file, clean, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var thumbnail bytes.Buffer
	p, err := look(f, s, most, &thumbnail)
	if err != nil {
		t.Fatal(err)
	}
	return p, thumbnail.Bytes()
}

func TestLargeImagesGetSmallThumbnails(t *testing.T) {
	glass := image.NewNRGBA(image.Rect(0, 0, 700, 50)) // can be seen through
	for _, test := range []struct {
		name, kind    string
		content       []byte
		width, height int
		thumbnail     string
		thumbWidth    int
	}{
		{"on its side", "image/jpeg", photo(t, 1400, 700, 6), 700, 1400, "image/jpeg", 320},
		{"a PNG", "image/png", pngWithText(t, gradient(1300, 650)), 1300, 650, "image/jpeg", 640},
		{"glass", "image/png", encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, glass) }), 700, 50, "image/png", 640},
		{"small already", "image/jpeg", photo(t, 640, 480, 1), 640, 480, "", 0},
		{"an animation", "image/gif", gifWithText(t), 20, 10, "", 0},
	} {
		p, thumbnail := lookAt(t, test.kind, test.content, 25_000_000)
		if p.width != test.width || p.height != test.height || p.thumbnail != test.thumbnail {
			t.Errorf("%s: got %+v, want %d × %d and %q", test.name, p, test.width, test.height, test.thumbnail)
		}
		if test.thumbnail == "" {
			continue
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(thumbnail)); err != nil || c.Width != test.thumbWidth {
			t.Errorf("%s: its thumbnail is %d wide, %v, want %d", test.name, c.Width, err, test.thumbWidth)
		}
	}
}

// Images that would need much memory or time are not decoded: their size is known before.
func TestBombsAreNotDecoded(t *testing.T) {
	ihdr := func(w, h uint32) string {
		b := binary.BigEndian.AppendUint32(nil, w)
		return chunk("IHDR", string(binary.BigEndian.AppendUint32(b, h))+"\x08\x06\x00\x00\x00")
	}
	huge := []byte(pngSignature + ihdr(100_000, 100_000) + chunk("IDAT", "x") + chunk("IEND", ""))
	if p, thumbnail := lookAt(t, "image/png", huge, 25_000_000); p.width != 100_000 || p.thumbnail != "" || len(thumbnail) != 0 {
		t.Errorf("a huge PNG: got %+v", p)
	}
	plain := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, gradient(800, 600), nil) })
	scan := bytes.Index(plain, []byte{0xFF, jpegSOS})
	many := append(bytes.Clone(plain[:scan]), bytes.Repeat(segment(jpegSOS, "\x03\x01\x00\x02\x11\x03\x11\x00\x00\x00"), 200)...)
	many = append(many, plain[scan:]...)
	if p, _ := lookAt(t, "image/jpeg", many, 25_000_000); p.width != 800 || p.thumbnail != "" {
		t.Errorf("a JPEG of 200 scans: got %+v", p)
	}
	broken := []byte(pngSignature + ihdr(1000, 1000) + chunk("IDAT", "no deflate") + chunk("IEND", ""))
	if p, _ := lookAt(t, "image/png", broken, 25_000_000); p.width != 1000 || p.thumbnail != "" {
		t.Errorf("a PNG that cannot be decoded: got %+v", p)
	}
}

// Whatever comes, an image is no larger than it was, is stripped once and for all, and nothing panics.
func FuzzStrip(f *testing.F) {
	for _, content := range [][]byte{photo(f, 8, 8, 6), pngWithText(f, gradient(4, 4)), gifWithText(f), webpWithText(f)} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for kind := range strippers {
			clean, _, err := stripBytes(kind, content)
			if err != nil {
				continue
			}
			if len(clean) > len(content)+2 {
				t.Errorf("%s of %d bytes has %d", kind, len(content), len(clean))
			}
			again, _, err := stripBytes(kind, clean)
			if err != nil || !bytes.Equal(again, clean) {
				t.Errorf("%s stripped twice: %v", kind, err)
			}
		}
	})
}

func FuzzPicture(f *testing.F) {
	for _, content := range [][]byte{photo(f, 800, 8, 6), pngWithText(f, gradient(700, 4)), gifWithText(f), webpWithText(f)} {
		f.Add(content)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := os.CreateTemp(folder, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file.Name())
		defer file.Close()
		if _, err := file.Write(content); err != nil {
			t.Fatal(err)
		}
		if _, err := look(file, stripped{orientation: 6}, 100_000, &bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	})
}
