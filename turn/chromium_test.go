package turn

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// seen is what testdata/call.html reports of one call.
type seen struct {
	URL, Error, State, Candidate, Protocol string
	Frames                                 int
}

// TestChromiumCallsThroughEachTransport lets a real browser send its camera through a relay to
// a peer that returns it, over UDP, TCP and TLS, with iceTransportPolicy "relay".
func TestChromiumCallsThroughEachTransport(t *testing.T) {
	browser := program(t, "chromium", "chromium")
	s := start(t, testConfig(t))
	results := make(chan seen, 3)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir("testdata")))
	mux.HandleFunc("GET /servers", func(w http.ResponseWriter, _ *http.Request) {
		all := s.ICEServers("alice", time.Now())[0]
		var servers []ICEServer
		for _, url := range all.URLs {
			servers = append(servers, ICEServer{URLs: []string{url}, Username: all.Username, Credential: all.Credential})
		}
		json.NewEncoder(w).Encode(map[string]any{"servers": servers})
	})
	mux.HandleFunc("POST /offer", func(w http.ResponseWriter, r *http.Request) {
		var offer webrtc.SessionDescription
		if err := json.NewDecoder(r.Body).Decode(&offer); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(mirror(t, offer))
	})
	mux.HandleFunc("POST /result", func(_ http.ResponseWriter, r *http.Request) {
		var result seen
		if err := json.NewDecoder(r.Body).Decode(&result); err != nil {
			t.Error(err)
		}
		results <- result
	})
	page := httptest.NewServer(mux)
	defer page.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	chromium := exec.CommandContext(ctx, browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream",
		"--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--no-first-run", "--ignore-certificate-errors", "--user-data-dir="+profile, page.URL+"/call.html")
	chromium.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its children end with it
	if err := chromium.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		syscall.Kill(-chromium.Process.Pid, syscall.SIGKILL)
		chromium.Wait()
		until(t, "the profile can be removed", func() bool { return os.RemoveAll(profile) == nil })
	}()
	for _, url := range s.URLs() {
		select {
		case got := <-results:
			want := "udp"
			if strings.Contains(url, "turns:") {
				want = "tls"
			} else if strings.Contains(url, "tcp") {
				want = "tcp"
			}
			if got.URL != url || got.Error != "" || got.Frames < 10 || got.Candidate != "relay" || got.Protocol != want {
				t.Errorf("call over %s: %+v, want 10 frames and more over a relay by %s", url, got, want)
			}
		case <-ctx.Done():
			t.Fatalf("chromium reports no call over %s", url)
		}
	}
	if moved := s.streams.toPeers.Load(); moved == 0 {
		t.Error("no packet came over TCP or TLS")
	}
}

// mirror answers an offer as a peer that sends back the video it gets.
func mirror(t *testing.T, offer webrtc.SessionDescription) *webrtc.SessionDescription {
	var engine webrtc.SettingEngine
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { pc.Close() })
	back, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", "mirror")
	if err != nil {
		t.Error(err)
		return nil
	}
	if _, err := pc.AddTrack(back); err != nil {
		t.Error(err)
		return nil
	}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for i := 0; ; i++ {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if i%50 == 0 { // until the browser can decode, it needs a key frame
				pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
			}
			back.WriteRTP(packet)
		}
	})
	done := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetRemoteDescription(offer); err != nil {
		t.Error(err)
		return nil
	}
	answer, err := pc.CreateAnswer(nil)
	if err == nil {
		err = pc.SetLocalDescription(answer)
	}
	if err != nil {
		t.Error(err)
		return nil
	}
	<-done
	return pc.LocalDescription()
}
