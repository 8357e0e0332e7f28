package turn

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v3"
)

// bare is the library without us, set up as its examples do.
type bare struct {
	udp, tcp string
	log      *logged
	server   *pion.Server
	port     int
}

func startBare(t *testing.T) *bare {
	t.Helper()
	b := &bare{log: &logged{}}
	packets, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if b.server, err = newBare(packets, listener, b.log); err != nil {
		t.Fatal(err)
	}
	b.udp, b.tcp = packets.LocalAddr().String(), listener.Addr().String()
	b.port = packets.LocalAddr().(*net.UDPAddr).Port
	t.Cleanup(func() { b.server.Close() })
	return b
}

func newBare(packets net.PacketConn, listener net.Listener, log io.Writer) (*pion.Server, error) {
	factory := logging.NewDefaultLoggerFactory()
	factory.Writer, factory.DefaultLogLevel = log, logging.LogLevelError
	relays := &pion.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	return pion.NewServer(pion.ServerConfig{
		Realm: "carillon", LoggerFactory: factory,
		AuthHandler:       pion.LongTermTURNRESTAuthHandler(secret, factory.NewLogger("auth")),
		PacketConnConfigs: []pion.PacketConnConfig{{PacketConn: packets, RelayAddressGenerator: relays}},
		ListenerConfigs:   []pion.ListenerConfig{{Listener: listener, RelayAddressGenerator: relays}},
	})
}

// subject is a server under test, ours or the bare library.
type subject struct {
	udp, tcp string
	log      *logged
	port     int
	close    func() error
	later    func(time.Duration) // lets time pass
}

func (s subject) newClient(t *testing.T, transport, user string) *testClient {
	return s.talkUntil(t, transport, user, time.Now().Add(time.Hour))
}

func (s subject) talkUntil(t *testing.T, transport, user string, expires time.Time) *testClient {
	t.Helper()
	name, password := Credential(secret, user, expires)
	address := s.udp
	if transport == "tcp" {
		address = s.tcp
	}
	return dialTestClient(t, transport, address, name, password)
}

// TestWeMeetWhatTheLibraryDoesNot checks that our server meets each expectation and that the bare
// library does not. When a new version of the library meets one, the test says so, and what
// we do about it can be removed.
func TestWeMeetWhatTheLibraryDoesNot(t *testing.T) {
	metadata := netip.MustParseAddrPort("169.254.169.254:80")
	for _, fault := range []struct {
		name string
		cfg  func(*Config)
		// check says what is wrong with the subject, nil if nothing.
		check func(t *testing.T, s subject) error
	}{
		{"close ends accepted connections", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "tcp", "alice")
			c.code(methodBinding)
			if err := s.close(); err != nil {
				return err
			}
			if !c.closedBy(300 * time.Millisecond) {
				return errors.New("the connection outlives the server")
			}
			return nil
		}},
		{"a silent connection is closed", func(c *Config) { c.Limits.FrameSeconds = 1 }, func(t *testing.T, s subject) error {
			if c := s.newClient(t, "tcp", "alice"); !c.closedBy(3 * time.Second) {
				return errors.New("it stays open")
			}
			return nil
		}},
		{"a peer must be allowed", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			c.allocate()
			return wantCode(403, c.code(methodCreatePermission, peerIs(metadata)))
		}},
		{"a channel's peer must be allowed", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			c.allocate()
			return wantCode(403, c.code(methodChannelBind, channelIs(0x4000), peerIs(metadata)))
		}},
		{"a relay outlives its credential", nil, func(t *testing.T, s subject) error {
			c := s.talkUntil(t, "udp", "alice", time.Now().Add(3*time.Second))
			c.allocate()
			s.later(4 * time.Second)
			return wantCode(0, c.code(methodRefresh, number(attrLifetime, 600)))
		}},
		{"wrong credentials are 401", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			c.password = "wrong"
			return wantCode(401, c.code(methodAllocate, overUDP))
		}},
		{"no relay is 437", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			c.learn(c.once(methodAllocate, overUDP))
			request := c.request(methodCreatePermission, peerIs(netip.MustParseAddrPort("127.0.0.1:9")))
			c.send(request)
			answer := c.answerTo(request, 2*time.Second)
			if answer == nil {
				return errors.New("no answer")
			}
			return wantCode(437, answer.errorCode())
		}},
		{"another user may not refresh: 441", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			c.allocate()
			c.name, c.password = Credential(secret, "mallory", time.Now().Add(time.Hour))
			if err := wantCode(441, c.code(methodRefresh, number(attrLifetime, 600))); err != nil {
				return err
			}
			return wantCode(441, c.code(methodRefresh, number(attrLifetime, 0)))
		}},
		{"a user has a quota: 486", func(c *Config) { c.Quota.PerUser = 2 }, func(t *testing.T, s subject) error {
			for range 2 {
				s.newClient(t, "udp", "alice").allocate()
			}
			return wantCode(486, s.newClient(t, "udp", "alice").code(methodAllocate, overUDP))
		}},
		{"the server has a quota: 508", func(c *Config) { c.Quota.Total = 2 }, func(t *testing.T, s subject) error {
			for i := range 2 {
				s.newClient(t, "udp", fmt.Sprint("user", i)).allocate()
			}
			return wantCode(508, s.newClient(t, "udp", "alice").code(methodAllocate, overUDP))
		}},
		{"channels have a quota", func(c *Config) { c.Quota.Channels = 2 }, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			c.allocate()
			for i := range uint16(2) {
				c.code(methodChannelBind, channelIs(0x4000+i), peerIs(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 5000+i)))
			}
			return wantCode(508, c.code(methodChannelBind, channelIs(0x4009), peerIs(netip.MustParseAddrPort("127.0.0.1:6000"))))
		}},
		{"one socket per core reads UDP", nil, func(t *testing.T, s subject) error {
			if n := socketsAt(t, s.port); n != max(2, runtime.GOMAXPROCS(0)) {
				return fmt.Errorf("%d sockets, want %d", n, max(2, runtime.GOMAXPROCS(0)))
			}
			return nil
		}},
		{"garbage is not logged", nil, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			for range 200 {
				c.send([]byte("\x00\x01 this is not STUN at all, whoever sends it"))
			}
			c.code(methodBinding)
			if n := strings.Count(s.log.String(), "\n"); n > 3 {
				return fmt.Errorf("%d lines in the log", n)
			}
			return nil
		}},
		{"answers to unauthenticated requests are bounded", func(c *Config) { c.Limits.AnswersPerAddress = 2 }, func(t *testing.T, s subject) error {
			c := s.newClient(t, "udp", "alice")
			answers := 0
			for range 200 {
				request := c.request(methodAllocate, overUDP)
				c.send(request)
				if c.answerTo(request, 5*time.Millisecond) != nil {
					answers++
				}
			}
			if answers > 100 {
				return fmt.Errorf("%d answers to 200 requests", answers)
			}
			return nil
		}},
		{"TCP relays are refused: 442", nil, func(t *testing.T, s subject) error {
			return wantCode(442, s.newClient(t, "udp", "alice").code(methodAllocate, number(attrRequestedTransport, 6<<24)))
		}},
		{"an IPv6 relay that we do not have is refused: 440", nil, func(t *testing.T, s subject) error {
			return wantCode(440, s.newClient(t, "udp", "alice").code(methodAllocate, overUDP, raw(attrRequestedFamily, 2, 0, 0, 0)))
		}},
		{"an unknown attribute is refused: 420", nil, func(t *testing.T, s subject) error {
			return wantCode(420, s.newClient(t, "udp", "alice").code(methodAllocate, overUDP, raw(0x7FFF, 1, 2, 3, 4)))
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Run("bare", func(t *testing.T) {
				b := startBare(t)
				s := subject{b.udp, b.tcp, b.log, b.port, b.server.Close, time.Sleep}
				err := fault.check(t, s)
				if err == nil {
					t.Error("the bare library does it too: what we do about it may go")
				}
				t.Log(err)
			})
			t.Run("ours", func(t *testing.T) {
				cfg := testConfig(t)
				if fault.cfg != nil {
					fault.cfg(&cfg)
				}
				if procs := runtime.GOMAXPROCS(0); procs < 2 {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
				}
				o, log := startLogged(t, cfg)
				at := netip.MustParseAddrPort(o.address("udp"))
				s := subject{o.address("udp"), o.address("tcp"), log, int(at.Port()), o.Close, func(d time.Duration) { o.skew.Add(int64(d)) }}
				if err := fault.check(t, s); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func wantCode(want, got int) error {
	if want != got {
		return fmt.Errorf("answered with %d, want %d", got, want)
	}
	return nil
}

// socketsAt counts the UDP sockets bound to a port.
func socketsAt(t *testing.T, port int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), fmt.Sprintf("0100007F:%04X ", port))
}

// attacks are single messages after which the bare library's reader spins for ever: the
// length in 16 bits plus the header is a frame of nothing.
var attacks = map[string][]byte{
	"STUN of length 0xFFEC":        append([]byte{0, 1, 0xFF, 0xEC, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 12)...),
	"ChannelData of length 0xFFFC": append([]byte{0x40, 0, 0xFF, 0xFC}, make([]byte, 16)...),
}

func TestFramingAttackLeavesUsQuiet(t *testing.T) {
	for name, attack := range attacks {
		for _, transport := range []string{"tcp", "tls"} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				s, log := startLogged(t, testConfig(t))
				other := s.newClient(t, transport, "alice")
				other.allocate()
				c := s.newClient(t, transport, "mallory")
				c.send(attack)
				if !c.closedBy(5 * time.Second) {
					t.Error("the attacker's connection stays open")
				}
				until(t, "its goroutine ends", func() bool { return s.streamCount() == 1 })
				if got := other.code(methodRefresh, number(attrLifetime, 600)); got != 0 {
					t.Errorf("the other client's refresh is answered with %d", got)
				}
				if log.String() != "" {
					t.Errorf("the attack is logged: %s", log)
				}
			})
		}
	}
}

// TestFramingAttackSpinsTheBareLibrary shows what the guard is for, in a process of its own.
func TestFramingAttackSpinsTheBareLibrary(t *testing.T) {
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestBareLibraryServes$")
			child.Env = append(os.Environ(), "TURN_BARE=1")
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { child.Process.Kill(); child.Wait() }()
			address, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.Dial("tcp", strings.TrimSpace(address))
			if err != nil {
				t.Fatal(err)
			}
			conn.Write(attack)
			conn.Close()
			before := cpuTicks(t, child.Process.Pid)
			until(t, "much CPU is gone, long after the client left", func() bool {
				return cpuTicks(t, child.Process.Pid) > before+30
			})
		})
	}
}

// TestBareLibraryServes is the child of the test above; by itself it has nothing to show.
func TestBareLibraryServes(t *testing.T) {
	if os.Getenv("TURN_BARE") == "" {
		return
	}
	packets, _ := net.ListenPacket("udp4", "127.0.0.1:0")
	listener, _ := net.Listen("tcp4", "127.0.0.1:0")
	if _, err := newBare(packets, listener, io.Discard); err != nil {
		t.Fatal(err)
	}
	fmt.Println(listener.Addr())
	select {}
}

// cpuTicks is the CPU time of a process in hundredths of a second.
func cpuTicks(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	return user + system
}
