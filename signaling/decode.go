package signaling

import (
	"bytes"
	"encoding/json"
	"iter"

	"carillon/refusal"
	"carillon/wire"
)

// frames splits a message of a client at its newlines and parses each line. What is not a
// frame comes with a refusal that says why, and with its id when that could be read.
func frames(message []byte) iter.Seq2[wire.Frame, *refusal.Error] {
	return func(yield func(wire.Frame, *refusal.Error) bool) {
		empty := true
		for line := range bytes.Lines(message) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			empty = false
			if f, err := parse(line); !yield(f, err) {
				return
			}
		}
		if empty {
			yield(wire.Frame{}, refusal.New(refusal.BadRequest, "The message is empty."))
		}
	}
}

func parse(line []byte) (wire.Frame, *refusal.Error) {
	var f wire.Frame
	if line[0] != '{' {
		return f, refusal.New(refusal.BadRequest, "A frame is a JSON object; several are separated by newlines.")
	}
	if err := json.Unmarshal(line, &f); err != nil {
		// The id may be readable although another field has the wrong type.
		var only struct {
			ID *int64 `json:"id"`
		}
		if json.Unmarshal(line, &only) == nil {
			f = wire.Frame{ID: only.ID}
		} else {
			f = wire.Frame{}
		}
		return f, refusal.New(refusal.BadRequest, "This is not a JSON-RPC 2.0 frame with a numeric id.")
	}
	if f.JSONRPC != version {
		return f, refusal.New(refusal.BadRequest, `A frame says "jsonrpc": "2.0".`)
	}
	if f.Method == "" {
		return f, refusal.New(refusal.BadRequest, "A frame of a client names a method.")
	}
	return f, nil
}

// params parses the params of a request. Fields that we do not know are ignored, so that
// a newer client can talk to an older server.
func params[P any](data json.RawMessage) (P, error) {
	var p P
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return p, nil
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, refusal.New(refusal.BadRequest, "The params have a wrong type: %s.", jsonReason(err))
	}
	return p, nil
}

func jsonReason(err error) string {
	if e, ok := err.(*json.UnmarshalTypeError); ok {
		if e.Field == "" {
			return "expected an object"
		}
		return e.Field + " may not be a " + e.Value
	}
	return "they cannot be read"
}
