// Command coturn measures carillon's TURN server and coturn side by side, with coturn's own
// client: `go run ./bench/coturn`. Each server in turn is pinned to one core, the client and
// the peer to the others, and the rounds alternate, so that a busy machine harms both alike.
//
// It prints one line per server, size and round, and then the medians with their ratio. What
// counts is the server's CPU time per relayed packet; the client sets the pace. It needs the
// Debian packages coturn and util-linux (taskset).
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"carillon/bench/target"
)

var (
	rounds   = flag.Int("rounds", 5, "how often each server is measured")
	sizes    = flag.String("sizes", "120,1000", "payload bytes")
	clients  = flag.Int("clients", 50, "clients, one relay each")
	messages = flag.Int("messages", 1000, "messages per client, each there and back")
	interval = flag.Int("interval", 1, "milliseconds between a client's messages")
	extra    = flag.String("client", "", "further arguments of turnutils_uclient, such as -t for TCP")
	options  = flag.String("coturn", "", "further arguments of turnserver")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "coturn:", err)
		os.Exit(1)
	}
}

func run() error {
	for _, p := range []string{"turnserver", "turnutils_uclient", "turnutils_peer", "taskset"} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("%s is missing: apt-get install coturn util-linux", p)
		}
	}
	folder, err := os.MkdirTemp("", "carillon-coturn-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "carillon")
	if out, err := exec.Command("go", "build", "-o", binary, "./bench/coturn/server").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	peer, stop, err := startPeer()
	if err != nil {
		return err
	}
	defer stop()
	results := map[string][]float64{}
	for _, size := range strings.Split(*sizes, ",") {
		for round := range *rounds {
			for _, name := range []string{"coturn", "carillon"} {
				r, err := measure(name, binary, folder, peer, size)
				if err != nil {
					return fmt.Errorf("%s, %s bytes: %w", name, size, err)
				}
				fmt.Printf("%-8s  %4s bytes  round %d  %s\n", name, size, round+1, r)
				results[name+size] = append(results[name+size], r.perPacket(r.used.Total))
			}
		}
	}
	fmt.Println()
	for _, size := range strings.Split(*sizes, ",") {
		theirs, ours := median(results["coturn"+size]), median(results["carillon"+size])
		fmt.Printf("%4s bytes: coturn %.2f µs, carillon %.2f µs of CPU per relayed packet; %.0f and %.0f packets per CPU second; ratio %.2f\n",
			size, theirs, ours, 1e6/theirs, 1e6/ours, theirs/ours)
	}
	return nil
}

func median(list []float64) float64 {
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// result of one run.
type result struct {
	packets int
	used    target.Usage // by the server
	lost    string
	memory  int // bytes per relay
}

// perPacket is a time divided by the relayed packets, in microseconds.
func (r result) perPacket(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1000 / float64(r.packets)
}

// user is the part of the time that was spent outside the kernel, which is counted in ticks only.
func (r result) user() time.Duration {
	ticks := r.used.User + r.used.System
	return time.Duration(float64(r.used.Total) * float64(r.used.User) / float64(max(ticks, 1)))
}

func (r result) String() string {
	return fmt.Sprintf("%.2f µs per packet (%.2f user), %d packets relayed, lost %s, %d KB per relay", r.perPacket(r.used.Total),
		r.perPacket(r.user()), r.packets, r.lost, r.memory>>10)
}

var (
	sentMessages = regexp.MustCompile(`tot_send_msgs=(\d+), tot_recv_msgs=(\d+)`)
	lostMessages = regexp.MustCompile(`Total lost packets (\d+ \([\d.]+%\))`)
)

// measure runs one server for one run of the client.
func measure(name, binary, folder string, peer int, size string) (result, error) {
	var r result
	port, err := freePort()
	if err != nil {
		return r, err
	}
	arguments := []string{"-c", "0", binary, fmt.Sprintf("127.0.0.1:%d", port)}
	if name == "coturn" {
		arguments = append([]string{"-c", "0", "turnserver", "-n", "--lt-cred-mech", "--use-auth-secret", "--static-auth-secret=secret", "-r", "bench",
			"-L", "127.0.0.1", "-E", "127.0.0.1", "-p", fmt.Sprint(port), "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
			"--log-file", "/dev/null", "--simple-log", "--no-stdout-log", "--pidfile", filepath.Join(folder, "pid")}, strings.Fields(*options)...)
	}
	server := exec.Command("taskset", arguments...)
	if err := server.Start(); err != nil {
		return r, err
	}
	defer func() { server.Process.Kill(); server.Wait() }()
	if err := waitForAnswer(port); err != nil {
		return r, err
	}
	memoryBefore := target.ResidentMemory(server.Process.Pid)
	before, err := target.ReadUsage(server.Process.Pid)
	if err != nil {
		return r, err
	}
	client := append([]string{"-c", otherCores(), "turnutils_uclient", "-c", "-u", "bench", "-W", "secret", "-m", fmt.Sprint(*clients), "-n", fmt.Sprint(*messages),
		"-l", size, "-z", fmt.Sprint(*interval), "-p", fmt.Sprint(port), "-e", "127.0.0.1", "-r", fmt.Sprint(peer)}, strings.Fields(*extra)...)
	peak := watchMemory(server.Process.Pid)
	out, err := exec.Command("taskset", append(client, "127.0.0.1")...).CombinedOutput()
	most := peak()
	if err != nil {
		return r, fmt.Errorf("turnutils_uclient: %w\n%s", err, out)
	}
	after, err := target.ReadUsage(server.Process.Pid)
	if err != nil {
		return r, err
	}
	last := sentMessages.FindAllSubmatch(out, -1)
	lost := lostMessages.FindSubmatch(out)
	if len(last) == 0 || lost == nil {
		return r, fmt.Errorf("turnutils_uclient says\n%s", out)
	}
	sent, _ := strconv.Atoi(string(last[len(last)-1][1]))
	received, _ := strconv.Atoi(string(last[len(last)-1][2]))
	r.packets, r.lost = sent+received, string(lost[1])
	r.used = after.Since(before)
	r.memory = (int(most) - int(memoryBefore)) / *clients
	return r, nil
}

// watchMemory follows the memory of a process until the returned function is called, which
// returns the most that was seen.
func watchMemory(pid int) (peak func() uint64) {
	most, done, stop := uint64(0), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, target.ResidentMemory(pid))
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most
	}
}

// otherCores are those that the server does not have.
func otherCores() string {
	if n := runtime.NumCPU(); n > 1 {
		return fmt.Sprintf("1-%d", n-1)
	}
	return "0"
}

func startPeer() (port int, stop func(), err error) {
	if port, err = freePort(); err != nil {
		return 0, nil, err
	}
	peer := exec.Command("taskset", "-c", otherCores(), "turnutils_peer", "-L", "127.0.0.1", "-p", fmt.Sprint(port))
	if err := peer.Start(); err != nil {
		return 0, nil, err
	}
	return port, func() { peer.Process.Kill(); peer.Wait() }, nil
}

func freePort() (int, error) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// waitForAnswer sends Binding requests until the server answers one.
func waitForAnswer(port int) error {
	conn, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		conn.Write(append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 12)...))
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1500)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no answer at port %d", port)
}
