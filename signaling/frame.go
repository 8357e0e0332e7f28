package signaling

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"carillon/chat"
	"carillon/refusal"
	"carillon/wire"
)

// frame is one encoded JSON-RPC message on its way to any number of tabs. It is encoded
// once, and its WebSocket form is made once.
type frame struct {
	data   []byte
	event  bool // its age must be told again when it had to wait
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

// stale is how long an event may wait in a queue before it is encoded again with its new age,
// from which the times in it count.
const stale = 250 * time.Millisecond

func eventFrame(e chat.Event, now time.Time) *frame {
	e.AgeMS = max(0, now.UnixMilli()-e.At)
	f := notification(wire.NoteEvent, e)
	f.event = true
	return f
}

// older is the same event with its age at now.
func (f *frame) older(now time.Time) *frame {
	var m struct {
		Params chat.Event `json:"params"`
	}
	if json.Unmarshal(f.data, &m) != nil {
		return f // not reached: we encoded it
	}
	return eventFrame(m.Params, now)
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
