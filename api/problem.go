package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"carillon/refusal"
)

// problem answers with a problem document (RFC 9457).
func problem(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	status, code, detail := http.StatusInternalServerError, refusal.Internal, ""
	if wrong, ok := errors.AsType[*wrongType](err); ok {
		status, code, detail = http.StatusUnsupportedMediaType, refusal.BadRequest, wrong.Error()
	} else {
		refused, known := refusal.Of(err)
		if !known {
			log.Error("request failed", "path", r.URL.Path, "error", err)
		}
		status, code, detail = statusOf(refused.Code), refused.Code, refused.Message
		if refused.Retry > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(int(refused.Retry.Seconds()+0.999)))
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": code, "title": http.StatusText(status), "detail": detail})
}

func statusOf(code refusal.Code) int {
	switch code {
	case refusal.BadRequest, refusal.BadSDP:
		return http.StatusBadRequest
	case refusal.TokenMissing, refusal.TokenMalformed, refusal.TokenWrongKey, refusal.TokenExpired, refusal.TokenNotYet, refusal.TokenRevoked:
		return http.StatusUnauthorized
	case refusal.NotFound, refusal.LegUnknown:
		return http.StatusNotFound
	case refusal.NotAllowed, refusal.Blocked:
		return http.StatusForbidden
	case refusal.TooLarge:
		return http.StatusRequestEntityTooLarge
	case refusal.RateLimited:
		return http.StatusTooManyRequests
	case refusal.Busy, refusal.StorageFailed:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
