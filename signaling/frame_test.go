package signaling

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/chat"
	"carillon/wire"
)

func TestNoRequestTellsTheTime(t *testing.T) {
	// A client whose clock is an hour off cannot do harm with it: no request holds a time.
	for _, r := range requestFields() {
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

func TestEventThatWaitedTellsItsAgeAgain(t *testing.T) {
	sent := time.Now().Add(-10 * time.Second)
	f := eventFrame(chat.Event{Offset: 7, Type: chat.EventCall, At: sent.UnixMilli(), Data: []byte(`{"id":"c"}`)}, sent)
	batch := refresh([]item{{frame: f, at: sent}, {frame: f, at: time.Now()}})
	for i, want := range []int64{10_000, 0} {
		var got struct{ Params chat.Event }
		if err := json.Unmarshal(batch[i].frame.data, &got); err != nil {
			t.Fatal(err)
		}
		if age := got.Params.AgeMS; age < want || age > want+5000 || got.Params.Offset != 7 || string(got.Params.Data) != `{"id":"c"}` {
			t.Errorf("item %d: %s, want an age of %d ms or a little more", i, batch[i].frame.data, want)
		}
	}
}
