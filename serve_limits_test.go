package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// limitTables are the tables of the configuration that hold limits and nothing else.
var limitTables = []string{"chat.rates", "signaling.rates", "previews.rates", "media.quota", "media.tcp", "http.tcp", "turn.quota", "turn.limits", "files.quota", "files.rates"}

// otherLimits are the limits in other tables.
var otherLimits = []string{
	"chat.invitations", "chat.invitations_per_pair",
	"auth.guests_per_minute", "auth.attempts_per_second", "signaling.tabs_per_user", "signaling.user_reads", "signaling.address_reads",
	"call.rings_per_minute", "call.address_rings_per_minute", "call.rings_per_pair", "call.requests_per_minute",
	"previews.user_at_once", "previews.address_at_once", "previews.at_once", "previews.guests_at_once",
	"call.guest_rings_per_minute", "call.guest_address_rings_per_minute", "call.guest_rings_per_callee",
}

// unmeasured are times after which a connection is closed, which carillon_turn_connections_closed_total counts.
var unmeasured = []string{"turn.limits.handshake_seconds", "turn.limits.frame_seconds", "turn.limits.idle_seconds"}

// TestEveryLimitIsMeasured compares the limits in the configuration with those that a running
// server shows. That each counts what it refuses is shown beside it: by
// TestWhatIsStoredHasABudget, TestInvitationsAreBounded, TestEveryLimitOfTabsIsMeasured, TestEveryLimitOfCallsIsMeasured,
// TestEveryLimitOfFilesIsMeasured, TestUploadsAtOnceAreBounded, TestFetchesAreBounded, TestEveryLimitOfStrangersIsMeasured, TestEveryLimitOfTURNIsMeasured and
// TestOneUserOrAddressCannotTakeAllPeersAndSlots.
func TestEveryLimitIsMeasured(t *testing.T) {
	text, err := os.ReadFile("config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string]any
	if err := toml.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(otherLimits)
	for _, name := range limitTables {
		var table any = tables
		for part := range strings.SplitSeq(name, ".") {
			table = table.(map[string]any)[part]
		}
		for key := range table.(map[string]any) {
			if full := name + "." + key; !slices.Contains(unmeasured, full) {
				want = append(want, full)
			}
		}
	}
	p := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	_, metrics := get(t, p.urls["private"]+"/metrics")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^carillon_limited_total\{limit="([^"]+)"\} 0$`).FindAllStringSubmatch(metrics, -1) {
		got = append(got, m[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, key := range want {
		if !slices.Contains(got, key) {
			t.Errorf("%s is not measured", key)
		}
	}
	for _, key := range got {
		if !slices.Contains(want, key) {
			t.Errorf("%s is measured, and is no limit of the configuration", key)
		}
	}
}
