package turn

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/inet"
)

// BenchmarkOpenRelay opens and gives back relays, one after the other, here and at coturn, and
// reports the server's CPU time for one: go test -run xxx -bench OpenRelay -benchtime 5000x ./turn
func BenchmarkOpenRelay(b *testing.B) {
	for name, start := range map[string]func(*testing.B) (address string, pid int){"carillon": serveOurs, "coturn": serveCoturn} {
		b.Run(name, func(b *testing.B) {
			address, pid := start(b)
			before := cpuTicks(b, pid)
			b.ResetTimer()
			for i := range b.N {
				name, password := Credential(secret, fmt.Sprint("user", i), time.Now().Add(time.Hour))
				c := dialTestClient(b, "udp", address, name, password)
				for c.code(methodAllocate, overUDP) != 0 {
					// coturn remembers an ended relay for a while, also when its client's port comes back.
					c.conn.Close()
					c = dialTestClient(b, "udp", address, name, password)
				}
				if code := c.code(methodRefresh, number(attrLifetime, 0)); code != 0 {
					b.Fatalf("Refresh: %d", code)
				}
				c.conn.Close()
			}
			b.StopTimer()
			b.ReportMetric(float64(cpuTicks(b, pid)-before)*1e4/float64(b.N), "server-µs/relay")
		})
	}
}

func serveOurs(b *testing.B) (string, int) {
	child := exec.Command(os.Args[0], "-test.run=^TestServe$")
	child.Env = append(os.Environ(), "TURN_SERVE=1")
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { child.Process.Signal(syscall.SIGTERM); child.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address), child.Process.Pid
}

// TestServe is the child of the benchmark above; by itself it has nothing to show.
func TestServe(t *testing.T) {
	if os.Getenv("TURN_SERVE") == "" {
		return
	}
	s := start(t, Config{
		Secrets: []string{secret}, UDP: []string{"127.0.0.1:0"},
		Quota: Quota{PerUser: -1, PerAddress: -1}, Limits: Limits{Answers: -1, AnswersPerAddress: -1},
	})
	fmt.Println(s.address("udp"))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	signal.Stop(stop)
}

func serveCoturn(b *testing.B) (string, int) {
	path := program(b, "turnserver", "coturn")
	sock, err := openSocket(inet.Interfaces()[0], 20000, 29999, false)
	if err != nil {
		b.Fatal(err)
	}
	closeListenSockets([]*listenSocket{{out: sendSocket{fd: sock.fd}}})
	child := exec.Command(path, "-n", "--use-auth-secret", "--static-auth-secret="+secret, "-r", "bench", "-L", "127.0.0.1", "-E", "127.0.0.1",
		"-p", fmt.Sprint(sock.bound.Port()), "--no-tls", "--no-dtls", "--no-cli", "--log-file", "/dev/null", "--simple-log", "--no-stdout-log",
		"--pidfile", filepath.Join(b.TempDir(), "pid"))
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { child.Process.Kill(); child.Wait() })
	address := fmt.Sprintf("127.0.0.1:%d", sock.bound.Port())
	for range 200 {
		c := dialTestClient(b, "udp", address, "", "")
		request := c.request(methodBinding)
		c.send(request)
		if c.answerTo(request, 100*time.Millisecond) != nil {
			return address, child.Process.Pid
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Fatal("turnserver does not answer")
	return "", 0
}
