package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Health answers two questions, both with a [Condition]. /healthz: does the process live? It does
// when it answers, which is with 200; who would restart it for the sake of a database that is away
// would make things worse. /readyz: shall a load balancer send tabs here? With 200 yes, with 503 no.
type Health struct {
	// Fixed at construction.
	storage func(context.Context) string
	bus     func() bool

	draining atomic.Bool
}

// Condition is what a server says of itself.
type Condition struct {
	Ready    bool   `json:"ready"`
	Storage  string `json:"storage,omitempty"` // ok, away (it cannot be reached), full, or failed
	Bus      string `json:"bus,omitempty"`     // ok or down
	Draining bool   `json:"draining,omitempty"`
}

const (
	fine = "ok"
	down = "down"
)

// healthTime is how long the database may take to answer. Whoever probes waits a few seconds.
const healthTime = 2 * time.Second

// NewHealth asks storage for what is the matter with the database, in a word (empty: nothing), and
// bus whether other nodes can be heard. One that is nil is not there, and nothing is said of it.
func NewHealth(storage func(context.Context) string, bus func() bool) *Health {
	return &Health{storage: storage, bus: bus}
}

// Drain says from now on that no tabs shall be sent here. It may be called twice.
func (h *Health) Drain() { h.draining.Store(true) }

// Mount serves /healthz and /readyz.
func (h *Health) Mount(mux *http.ServeMux) {
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, false) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, true) })
}

func (h *Health) answer(w http.ResponseWriter, r *http.Request, readiness bool) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTime)
	defer cancel()
	c := h.condition(ctx)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if readiness && !c.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(c) // who asked has left: fine
}

// condition is ready without the bus: the tabs of one node reach each other without it, and when it
// is down it mostly is for all nodes, of which a load balancer would then have none left.
func (h *Health) condition(ctx context.Context) Condition {
	c := Condition{Ready: true}
	if h.storage != nil {
		c.Storage = fine
		if trouble := h.storage(ctx); trouble != "" {
			c.Storage, c.Ready = trouble, false
		}
	}
	if h.bus != nil {
		c.Bus = fine
		if !h.bus() {
			c.Bus = down
		}
	}
	if h.draining.Load() {
		c.Draining, c.Ready = true, false
	}
	return c
}

// Reason is what keeps it from being ready, and what else is wrong, such as "storage: away, draining".
func (c Condition) Reason() string {
	var reasons []string
	if c.Storage != fine && c.Storage != "" {
		reasons = append(reasons, "storage: "+c.Storage)
	}
	if c.Bus == down {
		reasons = append(reasons, "bus: "+c.Bus)
	}
	if c.Draining {
		reasons = append(reasons, "draining")
	}
	return strings.Join(reasons, ", ")
}
