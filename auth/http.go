package auth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"carillon/refusal"
)

// signedIn is what both sign-in pages answer.
type signedIn struct {
	Token string `json:"token"`
	User  struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
}

// read reads the JSON body of a POST, or answers what is wrong with it.
func read(w http.ResponseWriter, r *http.Request, into any, log *slog.Logger) bool {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Use POST.").WithStatus(http.StatusMethodNotAllowed), log)
		return false
	}
	// A JSON content type makes a browser ask first (CORS preflight), so no other site's form gets in.
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		refusal.Answer(w, r, refusal.New(refusal.BadRequest, "Send application/json.").WithStatus(http.StatusUnsupportedMediaType), log)
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(into); err != nil {
		refusal.Answer(w, r, refusal.New(refusal.BadRequest, "The body is not the JSON object expected here."), log)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody is left to tell
}
