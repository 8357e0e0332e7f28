package turn

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd is how many connections the tests of many connections open.
const crowd = 10000

// startCrowd connects from a process of its own, which has its own file descriptors. It
// returns when all are connected, and, if they speak, have shown that they are users.
func startCrowd(t *testing.T, address string, speak bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrowd$")
	child.Env = append(os.Environ(), "TURN_CROWD="+address, fmt.Sprint("TURN_CROWD_SPEAKS=", speak))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); child.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "connected\n" {
		t.Fatalf("the crowd says %q, %v; it needs %d file descriptors (ulimit -n)", line, err, crowd+100)
	}
}

// TestCrowd is the child of the tests of many connections; by itself it has nothing to show.
func TestCrowd(t *testing.T) {
	address := os.Getenv("TURN_CROWD")
	if address == "" {
		return
	}
	speaks := os.Getenv("TURN_CROWD_SPEAKS") == "true"
	name, password := Credential(secret, "crowd", time.Now().Add(time.Hour))
	work := make(chan struct{}, crowd)
	for range crowd {
		work <- struct{}{}
	}
	close(work)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	for range 32 {
		wg.Go(func() {
			for range work {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				if speaks {
					c := &testClient{t: t, conn: conn, stream: true, name: name, password: password}
					if code := c.code(methodRefresh, number(attrLifetime, 0)); code != 437 { // there is no relay
						fmt.Println("a Refresh is answered with", code)
						os.Exit(1)
					}
				}
				mu.Lock()
				open = append(open, conn)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	fmt.Println("connected")
	io.Copy(io.Discard, os.Stdin) // until the parent has seen enough
	os.Exit(0)
}

// streamCount is how many TCP and TLS connections are open.
func (s *Server) streamCount() int {
	open, _ := s.connections.Connections()
	return open
}

func crowdConfig(t *testing.T) Config {
	cfg := testConfig(t)
	cfg.Limits.ConnectionsPerAddress = crowd + 10 // they all come from 127.0.0.1
	cfg.Limits.AnswersPerAddress = -1
	cfg.Limits.Answers = -1
	return cfg
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func TestTenThousandIdleConnections(t *testing.T) {
	s := start(t, crowdConfig(t))
	before := memory()
	startCrowd(t, s.address("tcp"), true)
	until(t, "all are served", func() bool { return s.streamCount() == crowd })
	each := int(memory()-before) / crowd
	t.Logf("%d bytes per connection that has authenticated and then fell silent", each)
	if limit := 16 << 10; each > limit && !raceEnabled {
		t.Errorf("%d bytes per connection, want at most %d", each, limit)
	}
	c := bound(t, s, "tcp", "alice", echo(t))
	c.send(c.channelData(0x4000, []byte("served")))
	if got, _ := c.data(5 * time.Second); string(got) != "served" {
		t.Errorf("another client gets %q", got)
	}
}

func TestTenThousandSilentConnectionsAreClosed(t *testing.T) {
	s := start(t, crowdConfig(t))
	c := bound(t, s, "tcp", "alice", echo(t))
	startCrowd(t, s.address("tcp"), false)
	c.send(c.channelData(0x4000, []byte("served")))
	if got, _ := c.data(5 * time.Second); string(got) != "served" {
		t.Errorf("another client gets %q", got)
	}
	until(t, "they are closed", func() bool { return s.streamCount() == 1 })
	c.send(c.channelData(0x4000, []byte("still")))
	if got, _ := c.data(5 * time.Second); string(got) != "still" {
		t.Errorf("afterwards the other client gets %q", got)
	}
}

// A crowd that says nothing makes room, so that whoever sends a message is served at once.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	for name, set := range map[string]func(*Limits){
		"in all":                   func(l *Limits) { l.Connections = 20 },
		"per address":              func(l *Limits) { l.ConnectionsPerAddress = 20 },
		"of those that are silent": func(l *Limits) { l.Silent = 10 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			set(&cfg.Limits)
			s := start(t, cfg)
			c := bound(t, s, "tcp", "alice", echo(t))
			for range 100 {
				conn, err := net.Dial("tcp", s.address("tcp"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
			}
			// Over TCP first: who is accepted after the crowd has seen all of it come.
			for _, transport := range []string{"tcp", "tls"} {
				if got := s.newClient(t, transport, "bob").code(methodBinding); got != 0 {
					t.Errorf("a new client over %s is answered with %d", transport, got)
				}
			}
			c.send(c.channelData(0x4000, []byte("served")))
			if got, _ := c.data(5 * time.Second); string(got) != "served" {
				t.Errorf("the owner of a relay gets %q", got)
			}
		})
	}
}

func TestSlowFramesAreCutOff(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.FrameSeconds = 1
	s := start(t, cfg)
	for _, transport := range []string{"tcp", "tls"} {
		for name, relayed := range map[string]bool{"a client without a relay": false, "the owner of a relay": true} {
			t.Run(name+" over "+transport, func(t *testing.T) {
				c := s.newClient(t, transport, "alice")
				if relayed {
					c.allocate()
				}
				// A byte of a frame every now and then keeps nobody alive.
				frame := append([]byte{0x40, 0, 0x04, 0}, make([]byte, 1024)...)
				began := time.Now()
				for i := 0; ; i++ {
					if _, err := c.conn.Write(frame[i : i+1]); err != nil || c.closedBy(50*time.Millisecond) {
						break
					}
					if time.Since(began) > 20*time.Second {
						t.Fatal("it goes on for ever")
					}
				}
			})
		}
	}
}

func TestASlowHandshakeIsCutOff(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.HandshakeSeconds = 1
	s := start(t, cfg)
	conn, err := net.Dial("tcp", s.address("tls"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte{0x16, 3, 1})
	c := &testClient{t: t, conn: conn}
	if !c.closedBy(10 * time.Second) {
		t.Error("it stays open")
	}
}

func TestConnectionsHaveLimits(t *testing.T) {
	for name, set := range map[string]func(*Limits){
		"in all":      func(l *Limits) { l.Connections = 3 },
		"per address": func(l *Limits) { l.ConnectionsPerAddress = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			set(&cfg.Limits)
			s := start(t, cfg)
			for range 3 {
				s.newClient(t, "tcp", "alice").allocate()
			}
			if c := s.newClient(t, "tcp", "alice"); !c.closedBy(5 * time.Second) {
				t.Error("the fourth is served")
			}
			if got := s.newClient(t, "udp", "alice").code(methodBinding); got != 0 {
				t.Error("UDP suffers from it")
			}
		})
	}
}

// TestAClientThatReadsNothingCostsOnlyItself fills a client's queue.
func TestAClientThatReadsNothingCostsOnlyItself(t *testing.T) {
	s := start(t, testConfig(t))
	peer := echo(t)
	lazy, other := bound(t, s, "tcp", "lazy", peer), bound(t, s, "tcp", "alice", peer)
	payload := make([]byte, 1400)
	sender, err := net.Dial("udp", relayOf(s, lazy).String())
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	from := sender.LocalAddr().(*net.UDPAddr).AddrPort()
	if got := lazy.code(methodChannelBind, channelIs(0x4001), peerIs(from)); got != 0 {
		t.Fatal(got)
	}
	until(t, "its queue is full and packets are dropped", func() bool {
		for range 64 {
			sender.Write(payload)
		}
		return s.sum(count(dropQueue)) > 0
	})
	other.send(other.channelData(0x4000, []byte("served")))
	if got, _ := other.data(5 * time.Second); string(got) != "served" {
		t.Errorf("the other client gets %q", got)
	}
}

// TestAFloodOfUnauthenticatedRequestsIsBounded sends requests without and with wrong credentials as fast as
// it can: the log stays empty, answers stay within the rate, others are served.
func TestAFloodOfUnauthenticatedRequestsIsBounded(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.AnswersPerAddress = 100
	s, log := startLogged(t, cfg)
	relayed := bound(t, s, "udp", "alice", echo(t))
	attacker := s.newClient(t, "udp", "mallory")
	attacker.learn(attacker.once(methodAllocate, overUDP))
	attacker.password = "wrong"
	signed := attacker.request(methodAllocate, overUDP)
	attacker.nonce = ""
	unsigned := attacker.request(methodAllocate, overUDP)

	var answers int
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		b := make([]byte, 2048)
		for {
			attacker.conn.SetReadDeadline(time.Now().Add(quiet))
			if _, err := attacker.conn.Read(b); err == nil {
				answers++
				continue
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	began := time.Now()
	for i := range 20000 {
		attacker.conn.Write([][]byte{signed, unsigned}[i%2])
	}
	// Whoever has a relay is served, once the kernel has room for a packet of theirs.
	until(t, "another client's packet comes back", func() bool {
		relayed.send(relayed.channelData(0x4000, []byte("served")))
		got, _ := relayed.data(quiet)
		return string(got) == "served"
	})
	if got := relayed.code(methodRefresh, number(attrLifetime, 600)); got != 0 {
		t.Errorf("another client's refresh is answered with %d", got)
	}
	until(t, "unauthenticated requests are dropped", func() bool { return s.sum(count(dropUnauthenticated)) > 0 })
	close(stop)
	wg.Wait()
	// Half of the requests bring a nonce, which shows that the address is the attacker's.
	if most := 2 * (200 + int(100*(time.Since(began).Seconds()+1))); answers > most {
		t.Errorf("%d answers, want at most %d", answers, most)
	}
	if log.String() != "" {
		t.Errorf("the log has %d lines: %.200s", strings.Count(log.String(), "\n"), log)
	}
}

// Requests that are not signed may come from anybody, in the name of a relay's client too.
func TestTheOwnerOfARelayIsNoMirrorEither(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.AnswersPerAddress = 10
	s := start(t, cfg)
	c := bound(t, s, "udp", "alice", echo(t))
	for range 500 {
		c.send(build(methodBinding, classRequest, make([]byte, 12)).raw)
	}
	until(t, "requests are dropped", func() bool { return s.sum(count(dropUnauthenticated)) > 0 })
	if got := c.code(methodRefresh, number(attrLifetime, 600)); got != 0 {
		t.Errorf("the owner's Refresh is answered with %d", got)
	}
}

// Datagrams in the name of others use up what such may be answered, not what those may be who
// have shown that their address is theirs.
func TestAFloodInTheNameOfOthersShutsNobodyOut(t *testing.T) {
	for name, set := range map[string]func(*Limits){
		"in all":      func(l *Limits) { l.Answers = 1 },
		"per address": func(l *Limits) { l.AnswersPerAddress = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			set(&cfg.Limits)
			s := start(t, cfg)
			bob := s.newClient(t, "udp", "bob")
			bob.learn(bob.once(methodAllocate, overUDP))
			mallory := s.newClient(t, "udp", "mallory")
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				binding := build(methodBinding, classRequest, make([]byte, 12)).raw
				for {
					select {
					case <-stop:
						return
					default:
						mallory.conn.Write(binding)
					}
				}
			})
			defer wg.Wait()
			defer close(stop)
			until(t, "requests are dropped", func() bool { return s.sum(count(dropUnauthenticated)) > 100 })
			for _, transport := range []string{"udp", "tcp"} {
				c := bob
				if transport == "tcp" {
					c = s.newClient(t, transport, "carol")
				}
				until(t, "a relay is opened over "+transport, func() bool {
					request := c.request(methodAllocate, overUDP)
					c.send(request)
					answer := c.answerTo(request, quiet)
					if answer != nil && answer.errorCode() == 401 {
						c.learn(answer)
						return false
					}
					return answer != nil && answer.class() == classSuccess
				})
			}
		})
	}
}

// Nobody has anything to send before there is a relay, so nothing of it need be read.
func TestDataWithoutARelayEndsTheConnection(t *testing.T) {
	s := start(t, testConfig(t))
	for _, transport := range []string{"tcp", "tls"} {
		c := s.newClient(t, transport, "mallory")
		c.send(c.channelData(0x4000, make([]byte, 1000)))
		if !c.closedBy(5 * time.Second) {
			t.Errorf("after ChannelData over %s it stays open", transport)
		}
		c = s.newClient(t, transport, "mallory")
		c.send(c.sendIndication(netip.MustParseAddrPort("127.0.0.1:9"), make([]byte, 1000)))
		if !c.closedBy(5 * time.Second) {
			t.Errorf("after a Send indication over %s it stays open", transport)
		}
		// Who has had a relay may not know yet that it has ended.
		c = s.newClient(t, transport, "alice")
		c.allocate()
		c.code(methodRefresh, number(attrLifetime, 0))
		c.send(c.channelData(0x4000, make([]byte, 1000)))
		if got := c.code(methodAllocate, overUDP); got != 0 {
			t.Errorf("a second relay over %s is answered with %d", transport, got)
		}
	}
}

// Whoever says anything at all has not shown yet what the connection is for.
func TestStrangersWhoSpeakMakeRoomToo(t *testing.T) {
	for name, said := range map[string][]byte{
		"a Binding request":     build(methodBinding, classRequest, make([]byte, 12)).raw,
		"an indication":         build(methodSend, classIndication, make([]byte, 12)).raw,
		"channel data":          {0x40, 0, 0, 0},
		"an unsigned Allocate":  build(methodAllocate, classRequest, make([]byte, 12)).addNumber(attrRequestedTransport, 17<<24).raw,
		"an Allocate of nobody": build(methodAllocate, classRequest, make([]byte, 12)).addText(attrUsername, "nobody").sign(nil).raw,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Limits.Connections = 10
			s := start(t, cfg)
			owner := bound(t, s, "tcp", "alice", echo(t))
			for range 30 {
				c := s.newClient(t, "tcp", "mallory")
				c.send(said)
			}
			if got := s.newClient(t, "tcp", "bob").code(methodAllocate, overUDP); got != 0 {
				t.Errorf("a new client is answered with %d", got)
			}
			owner.send(owner.channelData(0x4000, []byte("served")))
			if got, _ := owner.data(5 * time.Second); string(got) != "served" {
				t.Errorf("the owner of a relay gets %q", got)
			}
		})
	}
}

// TestRelayPortsCannotBeGuessed looks for the patterns of a counter or of the kernel's choice.
func TestRelayPortsCannotBeGuessed(t *testing.T) {
	cfg := testConfig(t)
	cfg.RelayPorts = []int{50000, 59999}
	cfg.Quota.PerUser = -1
	s := start(t, cfg)
	var ports []int
	seen := map[int]bool{}
	near := 0
	for i := range 100 {
		port := int(s.newClient(t, "udp", "user"+strconv.Itoa(i)).allocate().Port())
		if port < 50000 || port > 59999 {
			t.Fatalf("port %d is out of range", port)
		}
		if seen[port] {
			t.Fatalf("port %d was given twice", port)
		}
		seen[port] = true
		if i > 0 && port-ports[i-1] < 100 && ports[i-1]-port < 100 {
			near++
		}
		ports = append(ports, port)
	}
	// By chance 2 of 99 lie so near; 15 do so once in a million years of test runs.
	if near > 15 {
		t.Errorf("%d of 99 ports lie near the one before: %v", near, ports)
	}
}
