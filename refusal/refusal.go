// Package refusal is the one list of reasons for which Carillon says no.
//
// A refusal is what a user may read: it has a stable code, a sentence that says
// what to do, and sometimes when to try again. Every other error is logged where
// it stops travelling and reaches the user as [Internal]. Over a WebSocket a refusal
// is a JSON-RPC error (package wire), over HTTP a problem document ([Answer]).
package refusal

import (
	"errors"
	"fmt"
	"time"
)

// Code is stable: clients switch on it, translations are keyed by it.
type Code string

// The codes. PROTOCOL.md lists what each one means to a client.
const (
	BadRequest          Code = "bad_request"          // malformed JSON, wrong type, missing or unknown value
	UnknownMethod       Code = "unknown_method"       // no such method
	TooLarge            Code = "too_large"            // a frame, message, name or list over its limit
	RateLimited         Code = "rate_limited"         // try again after retry_ms
	Busy                Code = "busy"                 // the server has too much to do; try again after retry_ms
	StorageFailed       Code = "storage_failed"       // the disk is full or fails; nothing was changed; try again after retry_ms
	Internal            Code = "internal"             // our fault; logged
	HelloFirst          Code = "hello_first"          // a request before hello
	HelloAgain          Code = "hello_again"          // a second hello on one connection
	TooManyTabs         Code = "too_many_tabs"        // close some
	UnsupportedProtocol Code = "unsupported_protocol" // reload the page: client and server do not speak one version

	TokenMissing   Code = "token_missing"
	TokenMalformed Code = "token_malformed"
	TokenWrongKey  Code = "token_wrong_key" // signed by a key this server does not know
	TokenExpired   Code = "token_expired"
	TokenNotYet    Code = "token_not_yet"    // nbf or iat lies in the future: check the clocks
	TokenRevoked   Code = "token_revoked"    // signed out everywhere
	TokenOtherUser Code = "token_other_user" // renewal for another user

	NotFound   Code = "not_found"   // no such thing, or none that you may see
	NotAllowed Code = "not_allowed" // you may see it but not do this
	Blocked    Code = "blocked"

	AlreadyAnswered Code = "already_answered" // another tab was first
	CallEnded       Code = "call_ended"
	LegInUse        Code = "leg_in_use"  // the tab that holds this leg is alive
	LegUnknown      Code = "leg_unknown" // no such leg, wrong secret, or its grace time is over
	BadSDP          Code = "bad_sdp"
	TooManyPeers    Code = "too_many_peers"   // end some calls or streams
	CallsNeedHTTPS  Code = "calls_need_https" // raised by the client only

	QuotaReached    Code = "quota_reached"    // the user's files are as much as they may be; remove some
	UploadElsewhere Code = "upload_elsewhere" // another node has the beginning of this upload; try again after retry_ms
)

// Error is a refusal on its way to a user.
type Error struct {
	Code    Code
	Message string        // one sentence in English: what is wrong and what to do
	Retry   time.Duration // zero: trying again will not help
	Status  int           // of an HTTP answer; zero: the one that fits the code
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// New makes a refusal.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// After is New with a time after which the request may succeed. Clients are told whole
// milliseconds, so it is rounded up to one.
func After(retry time.Duration, code Code, format string, args ...any) *Error {
	e := New(code, format, args...)
	e.Retry = (retry + time.Millisecond - 1).Truncate(time.Millisecond)
	return e
}

// WithStatus sets the status of an HTTP answer, for what HTTP can say more exactly than the
// code: a wrong method, a wrong content type.
func (e *Error) WithStatus(status int) *Error {
	e.Status = status
	return e
}

// Wait is the refusal of a request that came too early, or nil when there is nothing to
// wait for. Whoever waits exactly as long as it says succeeds.
func Wait(wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	return After(wait, RateLimited, "Too many requests. Wait a moment.")
}

// Is reports whether err is a refusal with this code.
func Is(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// Of returns the refusal in err. Any other error is ours, and says no more than that.
func Of(err error) (refused *Error, known bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e, true
	}
	return New(Internal, "Something went wrong on the server. Try again."), false
}
