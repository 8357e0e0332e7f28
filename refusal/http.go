package refusal

import (
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"strconv"
)

// Answer answers an HTTP request with the refusal in err, as a problem document (RFC 9457):
//
//	HTTP/1.1 429 Too Many Requests
//	Content-Type: application/problem+json
//	Retry-After: 2
//
//	{"title":"Too Many Requests","status":429,"detail":"Wait a moment.","code":"rate_limited","retry_ms":1500}
//
// Detail is the refusal's sentence, code and retry_ms are what a WebSocket client gets too.
// Any other error is logged here and answered as [Internal].
func Answer(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	e, known := Of(err)
	if !known {
		log.Error("request failed", "method", r.Method, "path", r.URL.Path, "client", r.RemoteAddr, "err", err)
	}
	status := e.status()
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if e.Retry > 0 {
		// The header knows whole seconds only; whoever waits them must succeed.
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.Retry.Seconds()))))
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{ // the client went away: nobody is left to tell
		Title: http.StatusText(status), Status: status, Detail: e.Message,
		Code: e.Code, RetryMS: e.Retry.Milliseconds(),
	})
}

type problem struct {
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Code    Code   `json:"code"`
	RetryMS int64  `json:"retry_ms,omitempty"`
}

func (e *Error) status() int {
	if e.Status != 0 {
		return e.Status
	}
	if status, ok := statuses[e.Code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

var statuses = map[Code]int{
	BadRequest:          http.StatusBadRequest,
	UnknownMethod:       http.StatusNotFound,
	TooLarge:            http.StatusRequestEntityTooLarge,
	RateLimited:         http.StatusTooManyRequests,
	Busy:                http.StatusServiceUnavailable,
	StorageFailed:       http.StatusServiceUnavailable,
	Internal:            http.StatusInternalServerError,
	HelloFirst:          http.StatusBadRequest,
	HelloAgain:          http.StatusBadRequest,
	TooManyTabs:         http.StatusTooManyRequests,
	UnsupportedProtocol: http.StatusBadRequest,

	TokenMissing:   http.StatusUnauthorized,
	TokenMalformed: http.StatusUnauthorized,
	TokenWrongKey:  http.StatusUnauthorized,
	TokenExpired:   http.StatusUnauthorized,
	TokenNotYet:    http.StatusUnauthorized,
	TokenRevoked:   http.StatusUnauthorized,
	TokenOtherUser: http.StatusForbidden,

	NotFound:   http.StatusNotFound,
	NotAllowed: http.StatusForbidden,
	Blocked:    http.StatusForbidden,

	AlreadyAnswered: http.StatusConflict,
	CallEnded:       http.StatusGone,
	LegInUse:        http.StatusConflict,
	LegUnknown:      http.StatusNotFound,
	BadSDP:          http.StatusBadRequest,
	TooManyPeers:    http.StatusTooManyRequests,
	CallsNeedHTTPS:  http.StatusBadRequest,

	QuotaReached:    http.StatusRequestEntityTooLarge,
	UploadElsewhere: http.StatusServiceUnavailable,
}
