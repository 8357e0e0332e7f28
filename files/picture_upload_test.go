package files_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"strings"
	"testing"

	"carillon/files"
)

func largePicture(t testing.TB) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 1280, 960))
	for y := range 960 {
		for x := range 1280 {
			m.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A photograph is kept without what it tells of where it was taken, and counts as what is kept.
func TestAPhotographIsKeptWithoutItsPlace(t *testing.T) {
	w := newWorld(t, files.Config{})
	plain := largePicture(t)
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00GPS 51.5007 N"
	photo := append([]byte{0xFF, 0xD8, 0xFF, 0xE1, 0, byte(len(exif) + 2)}, exif...)
	photo = append(photo, plain[2:]...)
	f := w.upload("alice", photo, map[string]string{"name": "holiday.jpg", "width": "1", "duration_ms": "7"})
	if f.Type != "image/jpeg" || f.Width != 1280 || f.Height != 960 || f.DurationMS != 0 || f.Claimed || f.Bytes != int64(len(plain)) || f.Thumbnail != "image/jpeg" {
		t.Errorf("got %+v", f)
	}
	u := w.url("alice", f.ID)
	if a := w.get(u.URL); !bytes.Equal(a.body, plain) || a.header.Get("Content-Disposition") != "inline; filename=holiday.jpg" {
		t.Errorf("got %d bytes as %s, want the %d without EXIF", len(a.body), a.header.Get("Content-Disposition"), len(plain))
	}
	small := w.get(u.Thumbnail)
	if c, err := jpeg.DecodeConfig(bytes.NewReader(small.body)); err != nil || c.Width != 640 || small.header.Get("ETag") == w.get(u.URL).header.Get("ETag") {
		t.Errorf("its thumbnail is %d wide, %v", c.Width, err)
	}
	if a := w.get(strings.Replace(u.Thumbnail, "&thumbnail=1", "", 1)); a.status != http.StatusForbidden {
		t.Errorf("the address of the thumbnail for all of it: got %d", a.status)
	}
	left, err := os.ReadDir(w.cfg.Place() + "/uploads")
	if err != nil || len(left) != 0 {
		t.Errorf("what was made of the upload is left: %v, %v", left, err)
	}
	quota := files.Config{Quota: files.Quota{UserBytes: 2 * len(photo), FreeBytes: 1}}
	w = newWorld(t, quota)
	w.upload("alice", photo, nil)
	w.upload("alice", photo, nil)
	if a := w.begin("alice", 4096, nil); a.status == http.StatusCreated && 2*(len(photo)-len(plain)) < 4096 {
		t.Errorf("more than the quota: got %d", a.status)
	}
}
