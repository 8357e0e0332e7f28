package target

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/api"
	"carillon/auth"
	"carillon/sfu"
	"carillon/switchboard"
	"carillon/turn"
)

// carillonTarget is the SFU and the TURN server, as serve runs them, behind WHIP and WHEP
// and without limits that only protect against strangers.
type carillonTarget struct {
	sfu     *sfu.SFU
	turn    *turn.Server
	whip    *api.WHIP
	metrics *prometheus.Registry
	folder  string // of the certificate

	mu       sync.Mutex
	channels map[string]map[sfu.Channel]struct{} // by room
}

func newCarillonTarget(log *slog.Logger) (_ *carillonTarget, err error) {
	t := &carillonTarget{metrics: prometheus.NewRegistry(), channels: map[string]map[sfu.Channel]struct{}{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	t.sfu, err = sfu.New(sfu.Config{
		Listen: "127.0.0.1:0", RoomPeers: 20_000, LossyPerSecond: 10_000,
		Quota: sfu.Quota{
			Peers: -1, UserPeers: -1, AddressPeers: -1, UserConnecting: -1, AddressConnecting: -1,
			UserSlots: -1, AddressSlots: -1, UserLines: -1, AddressLines: -1,
		},
	}, log, t.metrics)
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	t.whip = api.NewWHIP(api.Rooms{Door: switchboard.NewDoor(t.sfu, anyRoom), Channel: t.forwardChat}, anyone, nil, log)
	if t.folder, err = os.MkdirTemp("", "carillon-bench-"); err != nil {
		return nil, err
	}
	cert, key := filepath.Join(t.folder, "cert.pem"), filepath.Join(t.folder, "key.pem")
	if err := writeCertificate(cert, key); err != nil {
		return nil, err
	}
	media, _ := t.sfu.Addresses()
	t.turn, err = turn.New(turn.Config{
		UDP: []string{"127.0.0.1:0"}, TCP: []string{"127.0.0.1:0"}, TLS: []string{"127.0.0.1:0"}, Cert: cert, Key: key,
		Media: []turn.Media{{Advertised: media, Bound: media}},
		Quota: turn.Quota{PerUser: -1, PerAddress: -1}, Limits: turn.Limits{AnswersPerAddress: 100_000, Answers: 100_000},
	}, log, t.metrics)
	if err != nil {
		return nil, fmt.Errorf("turn: %w", err)
	}
	return t, nil
}

// anyone may do everything on a target.
func anyone(*http.Request) (auth.Identity, error) { return auth.Identity{User: "bench"}, nil }

// anyRoom lets everyone into every room of a target.
func anyRoom(context.Context, auth.Identity, string) error { return nil }

func (t *carillonTarget) routes(mux *http.ServeMux) {
	mux.Handle("/whip/", t.whip.Handler())
	mux.Handle("/whep/", t.whip.Handler())
}

func (t *carillonTarget) relays() (all []Relay) {
	for _, s := range t.turn.ICEServers("bench", time.Now()) {
		for _, u := range s.URLs {
			all = append(all, Relay{u, s.Username, s.Credential})
		}
	}
	return all
}

// runtime takes from the metrics what the media socket counts.
func (t *carillonTarget) runtime() (r Runtime) {
	families, err := t.metrics.Gather()
	if err != nil {
		return r
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch {
			case f.GetName() == "carillon_udp_send_batch":
				r.Writes = m.GetHistogram().GetSampleCount()
			case f.GetName() == "carillon_udp_packets_total" && m.GetLabel()[0].GetValue() == "out":
				r.Datagrams = uint64(m.GetCounter().GetValue())
			}
		}
	}
	return r
}

// forwardChat sends every message of a chat channel to all other channels of the room. It
// measures the data channel without what signaling does with a message.
func (t *carillonTarget) forwardChat(room string, c sfu.Channel) {
	t.mu.Lock()
	if t.channels[room] == nil {
		t.channels[room] = map[sfu.Channel]struct{}{}
	}
	t.channels[room][c] = struct{}{}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.channels[room], c)
		t.mu.Unlock()
	}()
	var others []sfu.Channel
	for {
		b, err := c.ReadMessage()
		if err != nil {
			return
		}
		others = others[:0]
		t.mu.Lock()
		for o := range t.channels[room] {
			if o != c {
				others = append(others, o)
			}
		}
		t.mu.Unlock()
		for _, o := range others {
			_ = o.WriteMessage(b) // a channel that does not read is closed by the SFU
		}
	}
}

func (t *carillonTarget) close() error {
	var failed []error
	if t.whip != nil {
		failed = append(failed, t.whip.Close())
	}
	if t.turn != nil {
		failed = append(failed, t.turn.Close())
	}
	if t.sfu != nil {
		failed = append(failed, t.sfu.Close())
	}
	if t.folder != "" {
		failed = append(failed, os.RemoveAll(t.folder))
	}
	return errors.Join(failed...)
}
