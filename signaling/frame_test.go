package signaling

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/call"
	"carillon/wire"
)

func TestNoRequestTellsTheTime(t *testing.T) {
	// A client whose clock is an hour off cannot do harm with it: no request holds a time.
	for _, r := range requestFields() {
		if r == "hello.resume.at" {
			continue // the server's own, given back
		}
		if strings.HasSuffix(r, "_at") || strings.Contains(r, "time") || strings.HasSuffix(r, ".at") {
			t.Errorf("%s is a time by the client's clock", r)
		}
	}
}

func requestFields() (fields []string) {
	var walk func(name string, t reflect.Type)
	walk = func(name string, t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(name, t.Elem())
		case reflect.Struct:
			for f := range t.Fields() {
				walk(name+"."+strings.Split(f.Tag.Get("json"), ",")[0], f.Type)
			}
		default:
			fields = append(fields, name)
		}
	}
	for _, r := range wire.Requests() {
		walk(r.Method, reflect.TypeOf(r.Params))
	}
	for _, n := range wire.ClientNotes() {
		walk(n.Name, reflect.TypeOf(n.Data))
	}
	return fields
}

func TestACallThatWaitedTellsItsAgeAgain(t *testing.T) {
	queued := time.Now().Add(-10 * time.Second)
	f := callFrame(wire.CallChange{AgeMS: 70, Call: call.Snapshot{ID: "c"}})
	batch := refresh([]item{{frame: f, at: queued}, {frame: f, at: time.Now()}})
	for i, want := range []int64{10_070, 70} {
		c, ok := batch[i].frame.call()
		if !ok || c.AgeMS < want || c.AgeMS > want+5000 || c.Call.ID != "c" {
			t.Errorf("%d: got %s, want an age of %d ms", i, batch[i].frame.data, want)
		}
	}
}
