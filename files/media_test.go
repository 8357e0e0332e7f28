package files

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func box(kind, body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))) + kind + body
}

func page(serial string, at uint64, body string) string {
	return "OggS\x00\x00" + string(binary.LittleEndian.AppendUint64(nil, at)) + serial + strings.Repeat("\x00", 9) + body
}

var (
	movie = box("ftyp", "isom") + box("mdat", strings.Repeat("x", 100)) + box("moov",
		box("mvhd", "\x00\x00\x00\x00"+strings.Repeat("\x00", 8)+"\x00\x00\x03\xe8"+"\x00\x00\x0f\xa0"+strings.Repeat("\x00", 80))+
			box("trak", box("tkhd", strings.Repeat("\x00", 76)+"\x02\x80\x00\x00"+"\x01\x68\x00\x00")))
	opus = page("abcd", 0, "OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00") + page("abcd", 960, "sound") + page("abcd", 48_000*3+312, "sound") + page("zzzz", 1<<40, "")
	wave = "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x7d\x00\x00"
)

func timingOf(t testing.TB, kind, content string) timed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "media")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return timing(kind, f, int64(len(content)))
}

func TestContainersSayHowLongTheyLast(t *testing.T) {
	for _, test := range []struct {
		kind, content string
		want          timed
	}{
		{"video/mp4", movie, timed{4000, 640, 360}},
		{"audio/ogg", opus, timed{durationMS: 3000}},
		{"audio/wav", wave, timed{durationMS: 2000}},
		{"video/mp4", movie[:50], timed{}},
		{"audio/ogg", "OggS", timed{}},
		{"audio/wav", "RIFF", timed{}},
		{"video/webm", "\x1aE\xdf\xa3", timed{}},
	} {
		if got := timingOf(t, test.kind, test.content); got != test.want {
			t.Errorf("%s of %d bytes: got %+v, want %+v", test.kind, len(test.content), got, test.want)
		}
	}
}

func FuzzTiming(f *testing.F) {
	for _, content := range []string{movie, opus, wave} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, kind := range []string{"video/mp4", "audio/ogg", "audio/wav"} {
			if got := timingOf(t, kind, string(content)); got.durationMS < 0 || got.durationMS > mostClaimedMS+1000 || got.width < 0 || got.height < 0 {
				t.Errorf("%s: got %+v", kind, got)
			}
		}
	})
}
