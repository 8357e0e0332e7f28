package turn

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// refuseToWatch makes epoll refuse every socket while f runs on the loop, as the kernel does
// beyond fs.epoll.max_user_watches.
func refuseToWatch(l *loop, f func()) {
	done := make(chan struct{})
	l.post(func() {
		defer close(done)
		epoll := l.epoll
		defer func() { l.epoll = epoll }()
		l.epoll = -1
		f()
	})
	<-done
}

// ownedButClosed counts the descriptors that the loop would close at its end although they are
// closed: by then the number may belong to something else.
func ownedButClosed(l *loop) (n int) {
	for fd, owner := range l.owners {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); owner != (fdOwner{}) && err != nil {
			n++
		}
	}
	return n
}

// claimOne is what a relay of alice needs.
func claimOne(t *testing.T, s *Server) (socket, share) {
	t.Helper()
	loopback := netip.MustParseAddr("127.0.0.1")
	sock, share, code := s.claim("alice", loopback, loopback, portWish{})
	if code != 0 {
		t.Fatal(code)
	}
	return sock, share
}

func TestASocketThatCannotBeWatchedLeavesNothingBehind(t *testing.T) {
	s := start(t, testConfig(t))
	sock, share := claimOne(t, s)
	refuseToWatch(s.loops[0], func() {
		o := requester{loop: s.loops[0]}
		if _, err := s.openRelay(&o, principal{}, share, sock); err == nil {
			t.Error("a relay that hears nobody was opened")
		}
		if n := ownedButClosed(s.loops[0]); n > 0 || s.Relays() > 0 {
			t.Errorf("%d closed descriptors have an owner, and %d relays live", n, s.Relays())
		}
	})
}

// A stream's relay is watched later, on the loop.
func TestARelayOfAStreamThatCannotBeWatchedIsLoggedAndClosed(t *testing.T) {
	s, log := startLogged(t, testConfig(t))
	var r *relay
	sock, share := claimOne(t, s)
	s.skew.Add(int64(time.Minute)) // the log says it once a second
	refuseToWatch(s.loops[0], func() {
		s.nextLoop.Store(uint32(len(s.loops)) - 1) // the next is the first
		var err error
		if r, err = s.openRelay(&requester{}, principal{}, share, sock); err != nil {
			t.Error(err)
		}
		s.loops[0].runPosted()
	})
	if !strings.Contains(log.String(), "turn opens no relay") {
		t.Errorf("the log says %q", log)
	}
	fd := r.out.fd
	r.end("test")
	until(t, "the socket is closed", func() bool {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		return err != nil
	})
}
