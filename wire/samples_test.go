package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carillon/chat"
)

const samples = "testdata"

// exchange is a request with its answer.
type exchange struct {
	Request Frame `json:"request"`
	Answer  Frame `json:"answer"`
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	strict(t, data, into)
}

func strict(t *testing.T, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
}

// sameAs checks that the sample holds exactly what the type writes: nothing unknown,
// nothing left out.
func sameAs(t *testing.T, data json.RawMessage, zero any) {
	t.Helper()
	value := reflect.New(reflect.TypeOf(zero))
	strict(t, data, value.Interface())
	written, err := json.Marshal(value.Interface())
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%T (-as written by Go +sample):\n%s", zero, d)
	}
}

func TestEveryMessageHasASampleThatItsTypeWrites(t *testing.T) {
	known := map[string]bool{}
	sample := func(name string, check func(t *testing.T)) {
		known[name] = true
		t.Run(name, check)
	}
	for _, r := range Requests() {
		sample("request."+r.Method, func(t *testing.T) {
			var x exchange
			read(t, "request."+r.Method, &x)
			if x.Request.Method != r.Method || x.Request.ID == nil || x.Answer.ID == nil || *x.Request.ID != *x.Answer.ID {
				t.Errorf("got %s, want a request and its answer with one id", x.Request.Method)
			}
			sameAs(t, x.Request.Params, r.Params)
			sameAs(t, x.Answer.Result, r.Result)
		})
	}
	notes := func(side string, list []Note) {
		for _, n := range list {
			sample(side+"."+n.Name, func(t *testing.T) {
				var f Frame
				read(t, side+"."+n.Name, &f)
				if f.Method != n.Name || f.ID != nil {
					t.Errorf("got method %q, id %v", f.Method, f.ID)
				}
				sameAs(t, f.Params, n.Data)
			})
		}
	}
	notes("client", ClientNotes())
	notes("server", ServerNotes())
	for _, i := range Items() {
		sample("item."+i.Name, func(t *testing.T) {
			var item chat.Item
			read(t, "item."+i.Name, &item)
			if string(item.Type) != i.Name || item.Pos == 0 || item.Tag == 0 {
				t.Errorf("got type %q at %+v", item.Type, item.Place)
			}
			sameAs(t, item.Data, i.Data)
		})
	}
	for _, name := range []string{"refused", "retry", "unreadable"} {
		sample("error."+name, func(t *testing.T) {
			var f Frame
			read(t, "error."+name, &f)
			if f.Error == nil || f.Error.Data.Code == "" {
				t.Error("no error in it")
			}
		})
	}

	files, err := filepath.Glob(filepath.Join(samples, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !known[name] {
			t.Errorf("%s is the sample of no message", name)
		}
	}
}
