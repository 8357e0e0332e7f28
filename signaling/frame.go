package signaling

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// frame is one encoded JSON-RPC message on its way to any number of tabs. It is encoded
// once, and its WebSocket form is made once.
type frame struct {
	data   []byte
	aged   bool // a change of a call: its age must be told again when it had to wait
	shared bool // by several connections: its WebSocket form is kept

	once     sync.Once
	prepared *websocket.PreparedMessage
	err      error
}

func (f *frame) prepare() (*websocket.PreparedMessage, error) {
	f.once.Do(func() { f.prepared, f.err = websocket.NewPreparedMessage(websocket.TextMessage, f.data) })
	return f.prepared, f.err
}

const version = "2.0"

// encode makes a frame of a message whose parts are ours and can be marshalled.
func encode(m wire.Frame) *frame {
	m.JSONRPC = version
	return &frame{data: raw(m)}
}

func notification(method string, params any) *frame {
	return encode(wire.Frame{Method: method, Params: raw(params)})
}

func result(id *int64, value any) *frame {
	return encode(wire.Frame{ID: id, Result: raw(value)})
}

// raw encodes a value of ours. A < stays one byte: frames stand in no HTML, and six bytes in
// place of one let whoever writes many of them fill the queues of others.
func raw(value any) json.RawMessage {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic("signaling: " + err.Error()) // a type of ours that JSON does not know
	}
	return bytes.TrimSuffix(data.Bytes(), []byte("\n"))
}

// changeFrame tells one item of a feed.
func changeFrame(c wire.Change) *frame { return notification(wire.NoteChange, c) }

// bareChange says only how far a feed has come.
func bareChange(feed string, pos int64) *frame {
	return changeFrame(wire.Change{Feed: feed, Pos: pos})
}

// stale is how long a change of a call may wait in a queue before it is encoded again with its
// age, from which the times in it count.
const stale = 250 * time.Millisecond

func callFrame(c wire.CallChange) *frame {
	f := notification(wire.NoteCall, c)
	f.aged = true
	return f
}

// call is what callFrame encoded, here or on another node.
func (f *frame) call() (c wire.CallChange, ok bool) {
	var m struct {
		Params *wire.CallChange `json:"params"`
	}
	m.Params = &c
	return c, json.Unmarshal(f.data, &m) == nil
}

// older is the same change of a call after it has waited.
func (f *frame) older(waited time.Duration) *frame {
	c, ok := f.call()
	if !ok {
		return f // not reached: we encoded it
	}
	c.AgeMS += waited.Milliseconds()
	return callFrame(c)
}

// Keys of mergeable notifications that add up.
const (
	callKey  = "c\x00" // and the call
	marksKey = "m\x00" // and the conversation
)

// unite returns one notification in place of two with the same key. Most replace what was before;
// of a call and of marks each holds only what has changed.
func unite(key string, older, newer *frame) *frame {
	switch {
	case strings.HasPrefix(key, callKey):
		return uniteCalls(older, newer)
	case strings.HasPrefix(key, marksKey):
		return uniteMarks(older, newer)
	}
	return newer
}

// uniteCalls counts from where the older began, and has everybody who changed in one of them, as
// they are in the newer.
func uniteCalls(before, f *frame) *frame {
	older, ok1 := before.call()
	newer, ok2 := f.call()
	if !ok1 || !ok2 || newer.From == 0 || older.Call.Epoch != newer.Call.Epoch {
		return f
	}
	newer.From = older.From
	participants := slices.Clone(older.Call.Participants)
	for _, p := range newer.Call.Participants {
		same := func(other call.ParticipantView) bool { return other.User == p.User }
		if i := slices.IndexFunc(participants, same); i >= 0 {
			participants[i] = p
		} else {
			participants = append(participants, p)
		}
	}
	newer.Call.Participants = participants
	return callFrame(newer)
}

// uniteMarks has the marks of everybody who is in one of them. Counts are whole in each.
func uniteMarks(before, f *frame) *frame {
	var older, newer struct {
		Params chat.ConversationMarks `json:"params"`
	}
	if json.Unmarshal(before.data, &older) != nil || json.Unmarshal(f.data, &newer) != nil || len(newer.Params.Counts) > 0 {
		return f
	}
	for _, m := range older.Params.Members {
		if !slices.ContainsFunc(newer.Params.Members, func(n chat.MemberMarks) bool { return n.User == m.User }) {
			newer.Params.Members = append(newer.Params.Members, m)
		}
	}
	return notification(wire.NoteMarks, newer.Params)
}

// errorFrame tells a refusal. Without id (the frame could not be read) it answers
// nothing in particular.
func errorFrame(id *int64, e *refusal.Error) *frame {
	return encode(wire.Frame{ID: id, Error: &wire.Error{
		Code:    rpcCode(e.Code),
		Message: e.Message,
		Data:    wire.ErrorData{Code: e.Code, RetryMS: e.Retry.Milliseconds()},
	}})
}

// rpcCode is the number that JSON-RPC 2.0 (section 5.1) wants beside ours.
func rpcCode(c refusal.Code) int {
	switch c {
	case refusal.BadRequest:
		return -32602
	case refusal.UnknownMethod:
		return -32601
	case refusal.Internal:
		return -32603
	}
	return -32000
}
