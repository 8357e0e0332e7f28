package main

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/api"
	"carillon/chat"
	"carillon/config"
	"carillon/files"
	"carillon/store"
)

// openFiles opens the place of files that people send.
func openFiles(c config.Config, folder string, db *store.Store, messages *chat.Service, log *slog.Logger, reg prometheus.Registerer) (*files.Server, error) {
	secret := []byte(c.Files.Secret)
	if len(secret) == 0 {
		var err error
		if secret, err = config.Secret(folder, "files"); err != nil {
			return nil, err
		}
	}
	return files.New(placeOfFiles(c, folder), files.Deps{Store: db, Sees: messages.SeesFiles, Secret: secret, Log: log, Metrics: reg})
}

// placeOfFiles is the configuration of files with what other tables say of them.
func placeOfFiles(c config.Config, folder string) files.Config {
	f := c.Files
	f.Data, f.Shared = folder, c.Bus.URL != ""
	return f
}

// filesFor lets pages of other origins upload and fetch files.
func filesFor(origins []string, h http.Handler) http.Handler {
	return api.AllowOrigins(origins, api.Allowed{
		Methods: "GET, HEAD, POST, PATCH, DELETE",
		Headers: "Authorization, Content-Type, Range, If-Range, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset",
		Exposed: "Location, Tus-Resumable, Tus-Max-Size, Upload-Length, Upload-Offset, Content-Disposition, Content-Length, Content-Range, ETag, Retry-After",
	}, h)
}
