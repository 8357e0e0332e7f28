// Package wire is Carillon's protocol: JSON-RPC 2.0 over WebSocket (subprotocol
// carillon.v1) or over a call's reliable data channel. Its types are the source of
// the TypeScript types; wire/testdata has a sample of every message, which the
// tests of both languages read.
package wire

import (
	"encoding/json"

	"carillon/refusal"
)

// Protocol is the version that hello carries, Subprotocol its name on the WebSocket.
const (
	Protocol    = 1
	Subprotocol = "carillon.v1"
)

// Frame is one JSON-RPC message: a request (ID and Method), a notification (Method
// only), a result (ID and Result) or an error (ID and Error). A WebSocket message
// may hold several frames, separated by newlines.
type Frame struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      *int64          `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty" tstype:"unknown"`
	Result  json.RawMessage `json:"result,omitempty" tstype:"unknown"`
	Error   *Error          `json:"error,omitempty"`
}

// Error is a refusal on the wire. Code is JSON-RPC's number; clients switch on Data.Code.
type Error struct {
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Data    ErrorData `json:"data"`
}

// ErrorData is the part of an error that a client acts upon.
type ErrorData struct {
	Code    refusal.Code `json:"code"`
	RetryMS int64        `json:"retry_ms,omitempty"` // zero: trying again will not help
}

// Close codes. 4000–4499 mean come back, 4500–4999 mean stop.
const (
	CloseShutdown     = 4000 // the server goes down; reason is the ms to wait before coming back
	CloseTokenExpired = 4001 // come back with a new token
	CloseNoPong       = 4002
	CloseRate         = 4003 // too many or too large frames, or garbage
	CloseSlow         = 4008 // this tab did not read fast enough; it loses nothing
	CloseNoHello      = 4009

	CloseBadToken  = 4500
	CloseSignedOut = 4501 // in this tab or in all
	CloseTooOld    = 4502 // the page speaks a protocol that this server no longer does
	CloseForbidden = 4503 // this origin is not allowed
	CloseReplaced  = 4504 // a newer connection said hello with this tab id; if that was not you, take a new tab id
)
