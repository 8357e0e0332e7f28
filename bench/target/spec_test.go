package target

import (
	"reflect"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]Spec{
		"carillon": {Name: "carillon", BuiltIn: true},
		"whip=http://a:1/in,whep=https://b/out,token=x,pid=7": {Name: "a:1", WHIP: "http://a:1/in", WHEP: "https://b/out", Token: "x", PID: 7},
		"server=https://chat.example/,token=x":                {Name: "chat.example", Server: "https://chat.example", WHIP: "https://chat.example/whip/bench", WHEP: "https://chat.example/whep/bench", Token: "x"},
		"whip=http://a/in,whep=http://a/out,name=janus":       {Name: "janus", WHIP: "http://a/in", WHEP: "http://a/out"},
	} {
		if got, err := ParseSpec(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "janus", "whip=http://a", "whip=a,whep=b", "server=chat.example", "whip=http://a,whep=http://a,pid=no", "whip=http://a,whep=http://a,color=red"} {
		if _, err := ParseSpec(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
