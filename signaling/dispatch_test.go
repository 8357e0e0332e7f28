package signaling

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"carillon/refusal"
	"carillon/wire"
)

// TestTableIsTheProtocol compares the table with the lists from which the TypeScript
// types, the samples and the document are made: a method is in both or in neither, with
// the same types.
func TestTableIsTheProtocol(t *testing.T) {
	left := maps.Clone(table)
	check := func(name string, note bool, params, result any) {
		m, known := left[name]
		delete(left, name)
		if !known {
			t.Errorf("%s is in the protocol and not in the table", name)
			return
		}
		if want := [2]reflect.Type{reflect.TypeOf(params), reflect.TypeOf(result)}; m.types != want || m.note != note {
			t.Errorf("%s: the table has %v, notification %v; the protocol %v, %v", name, m.types, m.note, want, note)
		}
	}
	for _, r := range wire.Requests() {
		if r.Method != wire.MethodHello {
			check(r.Method, false, r.Params, r.Result)
		}
	}
	for _, n := range wire.ClientNotes() {
		if n.Name != wire.NotePong {
			check(n.Name, true, n.Data, nil)
		}
	}
	if len(left) > 0 {
		t.Errorf("%v are in the table and not in the protocol", slices.Sorted(maps.Keys(left)))
	}
}

func TestAServerWithoutMediaRefusesCalls(t *testing.T) {
	w := newWorld(t, Config{})
	alice := w.open(0, "alice")
	n := 0
	for name, m := range table {
		if m.lane != callLane || m.note {
			continue
		}
		n++
		if err := alice.ask(name, wire.Empty{}, nil); !refusal.Is(err, refusal.NotAllowed) {
			t.Errorf("%s: got %v, want not_allowed", name, err)
		}
	}
	if n == 0 {
		t.Error("no method is about calls")
	}
	if err := alice.Notify(wire.NoteLegSuspend, wire.LegRef{}); err != nil {
		t.Fatal(err)
	}
	alice.send("bob", "all else works")
}
