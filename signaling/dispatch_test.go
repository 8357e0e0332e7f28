package signaling

import (
	"maps"
	"reflect"
	"slices"
	"testing"

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
