package chat

import (
	"encoding/json"
	"strings"
	"testing"

	"carillon/refusal"
)

func TestWhatAMessageOfEachKindHolds(t *testing.T) {
	const now = 1_760_000_000_000
	cfg := Config{MessageBytes: 1000}
	long := strings.Repeat("x", 1001)
	for _, test := range []struct {
		kind       Kind
		text, data string
		want       string // text|data|file, or a code
	}{
		{Text, " Hi\r\n", "", " Hi\n||"},
		{Text, "Hi", "null", "Hi||"},
		{Text, "Hi", "{}", "bad_request"},
		{Text, " ", "", "bad_request"},
		{Text, long, "", "too_large"},
		{Rich, "", `{"title":"Order  7","fields":[{"name":"State","value":"sent"}],"custom":{"id":7}}`,
			`|{"title":"Order 7","fields":[{"name":"State","value":"sent"}],"custom":{"id":7}}|`},
		{Rich, "", "", "bad_request"},
		{Rich, "", `{"custom":1}`, "bad_request"},
		{Rich, "x", `{"html":"<b>"}`, "bad_request"},
		{Rich, "x", `{"title":7}`, "bad_request"},
		{Rich, "x", `{"fields":[` + strings.Repeat(`{"name":"a","value":"b"},`, 50) + `{"name":"a","value":"b"}]}`, "too_large"},
		{Rich, strings.Repeat("x", 990), `{"title":"a longer one"}`, "too_large"},
		{Location, "", `{"latitude":52.5,"longitude":-13.4,"accuracy":12.5,"name":"Here"}`, `|{"latitude":52.5,"longitude":-13.4,"accuracy":12.5,"name":"Here"}|`},
		{Location, "on my way", `{"latitude":0,"longitude":180,"live_until":1760000900000}`, `on my way|{"latitude":0,"longitude":180,"live_until":1760000900000}|`},
		{Location, "", `{"latitude":91,"longitude":0}`, "bad_request"},
		{Location, "", `{"latitude":0,"longitude":-181}`, "bad_request"},
		{Location, "", `{"latitude":1e400,"longitude":0}`, "bad_request"},
		{Location, "", `{"latitude":"52","longitude":0}`, "bad_request"},
		{Location, "", `{"latitude":0,"longitude":0,"live_until":1759999999999}`, "bad_request"},
		{Location, "", `{"latitude":0,"longitude":0,"live_until":1760100000000}`, "bad_request"},
		{Custom, "A poll", `{"type":"shop.poll","data":[1,2]}`, `A poll|{"type":"shop.poll","data":[1,2]}|`},
		{Custom, "", `{"data":1}`, "bad_request"},
		{Custom, "", `{"type":"a\u0000b"}`, "bad_request"},
		{Custom, "", `{"type":"x","data":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "too_large"},
		{File, "caption", `{"file":"F1","name":"../../etc/passwd","type":"text/html"}`, "caption||F1"},
		{Voice, "", `{"file":"F1"}`, "||F1"},
		{VideoNote, "", `{"file":""}`, "bad_request"},
		{File, "", "", "bad_request"},
		{File, "", `[]`, "bad_request"},
		{Call, "x", "", "bad_request"},
		{System, "x", "", "bad_request"},
		{"poll", "x", "", "bad_request"},
	} {
		c, err := cfg.contentOf(test.kind, test.text, json.RawMessage(test.data), now)
		got := c.text + "|" + string(c.data) + "|" + c.file
		if refused, _ := refusal.Of(err); err != nil {
			got = string(refused.Code)
		}
		if got != test.want {
			t.Errorf("%s %.40q %.60s: got %s, want %s", test.kind, test.text, test.data, got, test.want)
		}
	}
}

func TestHowDeepAValueIsNested(t *testing.T) {
	for value, want := range map[string]int{`1`: 0, `"[[["`: 0, `"\"[["`: 0, `[]`: 1, `{"a":[{}]}`: 3, `[[],[[]]]`: 3, `"\\"`: 0, `["\\",[]]`: 2} {
		if got := nested([]byte(value)); got != want {
			t.Errorf("%s: %d, want %d", value, got, want)
		}
	}
}

func FuzzContent(f *testing.F) {
	f.Add("rich", "x", `{"title":"t"}`)
	f.Add("location", "", `{"latitude":1,"longitude":2}`)
	f.Add("custom", "", `{"type":"x","data":[[]]}`)
	f.Add("voice", "", `{"file":"F"}`)
	cfg := Config{MessageBytes: 500}
	f.Fuzz(func(t *testing.T, kind, text, data string) {
		c, err := cfg.contentOf(Kind(kind), text, json.RawMessage(data), 0)
		if err != nil {
			if _, refused := refusal.Of(err); !refused {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if len(c.text)+len(c.data) > 500 || c.data != nil && (!json.Valid(c.data) || nested(c.data) > maxNested) {
			t.Fatalf("%q %s is taken", c.text, c.data)
		}
		if c.file != "" {
			return
		}
		// What is stored is taken the same again.
		again, err := cfg.contentOf(Kind(kind), c.text, c.data, 0)
		if err != nil || again.text != c.text || string(again.data) != string(c.data) {
			t.Fatalf("%q %s becomes %q %s, %v", c.text, c.data, again.text, again.data, err)
		}
	})
}
