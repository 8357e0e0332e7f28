// Package preview looks at what links in messages lead to, and at nothing else that strangers want
// asked for. It is done once, by the server, when a message is sent: who reads the message asks
// this server for a picture that was made here, and tells nobody else that they read it.
//
//	message.send ── commit ── Sent ─┬─ quota, rate: full means no preview
//	                                ├─ cache of a day
//	                                ├─ page:    name → address, checked, connected to → head of the HTML
//	                                ├─ picture: the same, then decoded and encoded anew
//	                                └─ chat.SetPreview: the message in a new revision
//
// What is behind a link is hostile until proved otherwise. An address is checked when it is
// connected to, after each redirect and for each picture (dial.go, policy.go); time, bytes and pixels are
// bounded (fetch.go, picture.go); HTML is read as tokens (page.go); what is kept is clean text and the bytes
// of a JPEG that we encoded.
//
// A server that ends between a message and its preview leaves the message without one.
package preview

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"carillon/chat"
	"carillon/limit"
	"carillon/refusal"
	"carillon/settings"
)

// Store keeps what was found. Package store implements it.
type Store interface {
	// Preview returns what was found behind a link, unless that was longer ago than so long. A preview
	// without a Site is one that shows nothing.
	Preview(ctx context.Context, link string, ago time.Duration) (chat.Preview, bool, error)
	// PutPreview keeps it, with its picture if it has one.
	PutPreview(ctx context.Context, link string, p chat.Preview, jpeg []byte) error
	// PreviewPicture returns a picture by its key.
	PreviewPicture(ctx context.Context, key string) (jpeg []byte, found bool, err error)
}

// Deps are what a Service stands on.
type Deps struct {
	Store Store
	// Set puts a preview under a message that has not changed since a revision, see [chat.Service.SetPreview].
	Set func(ctx context.Context, conversation string, seq int64, revision int, p chat.Preview) error
	// Listeners are where this server listens, and the addresses under which others know it.
	Listeners []netip.AddrPort
	Agent     string // how we call ourselves to those whom we ask
	Log       *slog.Logger
	Metrics   prometheus.Registerer // nil: not registered

	// For tests; nil: the real ones.
	Resolve func(ctx context.Context, network, host string) ([]netip.Addr, error)
	Trust   *tls.Config
	Now     func() time.Time
}

// Service makes previews. It is safe for concurrent use. Close it.
type Service struct {
	// Fixed at construction.
	cfg      Config
	deps     Deps
	fetch    *fetcher
	rates    *limit.Budget
	quota    *limit.Quota
	targets  *limit.Count
	pictures *limit.Budget
	results  *prometheus.CounterVec
	decoding chan struct{} // one for each picture that is being decoded
	ctx      context.Context
	stop     context.CancelFunc

	flights singleflight.Group // by link: who wants what is being looked at waits for that

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // each look at a link; added to under mu while not closed
}

// decodings is how many pictures are decoded at a time: each takes some 64 MB at worst.
const decodings = 2

// decodeTime is how long that may take.
const decodeTime = 2 * time.Second

// New returns a Service. Zero fields of cfg mean [Defaults].
func New(deps Deps, cfg Config) (*Service, error) {
	cfg = settings.Fill(cfg, Defaults())
	policy, err := newPolicy(cfg, deps.Listeners)
	if err != nil {
		return nil, fmt.Errorf("previews.%w", err)
	}
	if deps.Resolve == nil {
		deps.Resolve = (&net.Resolver{PreferGo: true}).LookupNetIP
	}
	if deps.Trust == nil {
		deps.Trust = &tls.Config{}
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	minute := func(n int) limit.Rate { return limit.Per(time.Minute, n, time.Minute) }
	share := func(key string, n int) limit.Share { return limit.Share{Key: "previews.rates." + key, Rate: minute(n)} }
	atMost := func(key string, n int) limit.Cap { return limit.Cap{Key: "previews." + key, N: n} }
	r := cfg.Rates
	s := &Service{
		cfg: cfg, deps: deps,
		rates: limit.NewBudget(limit.Shares{
			User: share("user", r.User), Address: share("address", r.Address), All: share("all", r.All),
			Guest: share("one_guest", r.OneGuest), GuestAddress: share("guest_address", r.GuestAddress), Guests: share("guests", r.Guests),
			Refusal: "You have looked at many links. Wait a moment.",
		}),
		quota: limit.NewQuota(limit.Caps{
			User: atMost("user_at_once", cfg.UserAtOnce), Address: atMost("address_at_once", cfg.AddressAtOnce),
			All: atMost("at_once", cfg.AtOnce), Guests: atMost("guests_at_once", cfg.GuestsAtOnce),
			Refusal: refusal.After(time.Second, refusal.RateLimited, "Other links of yours are being looked at. Wait a moment."),
		}),
		targets:  limit.NewCount("previews.rates.target"),
		pictures: limit.NewBudget(limit.Shares{Address: share("pictures", r.Pictures)}),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_previews_total", Help: "Links that were looked at, by what came of it: made, nothing, cached, limited (not looked at), failed (our fault).",
		}, []string{"result"}),
		decoding: make(chan struct{}, decodings),
	}
	dial := &dialer{policy: policy, resolve: deps.Resolve, targets: limit.NewKeys[netip.Addr](minute(r.Target), 10_000), over: s.targets, now: deps.Now}
	s.fetch = newFetcher(policy, dial, deps.Trust, deps.Agent, cfg.Redirects)
	s.ctx, s.stop = context.WithCancel(context.Background()) // until Close
	if deps.Metrics != nil {
		for _, result := range []string{"made", "nothing", "cached", "limited", "failed"} {
			s.results.WithLabelValues(result)
		}
		if err := deps.Metrics.Register(s.results); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Counts are those of the limits.
func (s *Service) Counts() []*limit.Count {
	all := append(s.rates.Counts(), s.quota.Counts()...)
	return append(append(all, s.pictures.Counts()...), s.targets)
}

// Close ends what is being looked at, and waits for it. Nothing is looked at afterwards. Calling it again
// does nothing.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.work.Wait()
	return nil
}

var (
	errOff     = refusal.New(refusal.NotAllowed, "This server makes no previews of links.")
	errClosing = refusal.After(2*time.Second, refusal.Busy, "The server is shutting down. Try again.")
)

// begin takes what a look at a link costs. Call end when it is over.
func (s *Service) begin(payer limit.Payer) (end func(), err error) {
	if s.cfg.Disabled {
		return nil, errOff
	}
	if err := s.rates.Take(payer, 1, s.deps.Now()); err != nil {
		s.results.WithLabelValues("limited").Inc()
		return nil, err
	}
	if err := s.quota.Take(payer, 1); err != nil {
		s.results.WithLabelValues("limited").Inc()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.quota.Give(payer, 1)
		return nil, errClosing
	}
	s.work.Add(1)
	return func() {
		s.quota.Give(payer, 1)
		s.work.Done()
	}, nil
}

// Sent looks at the first link of a message that was stored, and puts a preview under it. It returns
// at once. A message that has changed meanwhile, one whose sender has too many under way, and one after which
// the server ends stay without.
func (s *Service) Sent(payer limit.Payer, m chat.Message) {
	if m.Kind != chat.Text || m.Preview != nil || s.cfg.Disabled {
		return
	}
	raw := FirstLink(m.Text)
	if raw == "" {
		return
	}
	link, err := parseLink(raw)
	if err != nil {
		return
	}
	end, err := s.begin(payer)
	if err != nil {
		return
	}
	go func() { // ends by end, which Close waits for
		defer end()
		found, err := s.look(link)
		if err == nil && found.Site != "" {
			found.URL = withFragment(link, raw)
			ctx, cancel := context.WithTimeout(limit.PaidBy(s.ctx, payer), s.timeout())
			defer cancel()
			err = s.deps.Set(ctx, m.Conversation, m.Seq, m.Revision, found)
		}
		if _, refused := refusal.Of(err); err != nil && !refused && s.ctx.Err() == nil {
			s.results.WithLabelValues("failed").Inc()
			s.deps.Log.Error("preview of a message", "message", m.ID, "err", err)
		}
	}()
}

// Get returns the preview of a link for somebody who has not sent it yet; nil: there is none.
func (s *Service) Get(payer limit.Payer, raw string) (*chat.Preview, error) {
	link, err := parseLink(raw)
	if err != nil {
		return nil, refusal.New(refusal.BadRequest, "This link cannot be looked at: it %v.", err)
	}
	end, err := s.begin(payer)
	if err != nil {
		return nil, err
	}
	defer end()
	found, err := s.look(link)
	if err != nil || found.Site == "" {
		return nil, err
	}
	found.URL = withFragment(link, raw)
	return &found, nil
}

// withFragment is a link as it leads to a part of the page.
func withFragment(link *url.URL, raw string) string {
	whole := *link
	if u, err := url.Parse(raw); err == nil {
		whole.Fragment, whole.RawFragment = u.Fragment, u.RawFragment
	}
	return whole.String()
}
