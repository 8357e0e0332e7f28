package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"carillon/sfu/sfutest"
)

// offerSlots is an offer for so many video slots, of a client that never connects.
func offerSlots(t *testing.T, n int) string {
	t.Helper()
	offer, err := sfutest.OfferFor(n)
	if err != nil {
		t.Fatal(err)
	}
	return offer
}

// TestOneUserCannotFillTheServerWithStreams offers more slots to WHEP than one user may have,
// and never connects.
func TestOneUserCannotFillTheServerWithStreams(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	// None of the first offers is forgotten before the last, on however busy a machine.
	p := start(t, []string{"CARILLON_MEDIA_CONNECT_SECONDS=15"}, append(anyPorts, "--data", data)...)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	offer := offerSlots(t, 49)
	mallory, alice := tokenOf(t, data, "mallory", "--conversations", "stage"), tokenOf(t, data, "alice", "--conversations", "stage")
	watch := func(token string) (status int, code string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.urls["http"]+"/whep/stage", strings.NewReader(offer))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/sdp")
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var problem struct{ Code string }
		if answer.StatusCode != http.StatusCreated {
			if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, problem.Code
	}
	const most = 20 // [media.quota] user_slots / 49
	accepted := 0
	status, code := watch(mallory)
	for ; status == http.StatusCreated && accepted <= most; status, code = watch(mallory) {
		accepted++
	}
	if accepted == 0 || accepted > most {
		t.Errorf("%d offers of 49 slots were accepted", accepted)
	}
	if status != http.StatusTooManyRequests || code != "too_many_peers" {
		t.Fatalf("refused with %d %s, want 429 too_many_peers", status, code)
	}
	if status, code := watch(alice); status != http.StatusCreated {
		t.Errorf("another user is refused with %d %s", status, code)
	}
	metric := func(line string) bool {
		_, body := get(t, p.urls["private"]+"/metrics")
		return strings.Contains(body, line)
	}
	if !metric(`carillon_limited_total{limit="media.quota.user_slots"} `) || metric(`carillon_limited_total{limit="media.quota.user_slots"} 0`+"\n") {
		t.Error("the metrics do not tell which limit was reached")
	}
	until(t, "those that never connected are gone", func() bool {
		return metric("carillon_sfu_peers 0\n") && metric("carillon_sfu_slots 0\n")
	})
	if status, code := watch(mallory); status != http.StatusCreated {
		t.Errorf("afterwards the first user is refused with %d %s", status, code)
	}
}
