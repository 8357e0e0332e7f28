package turn

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// testClient speaks TURN byte by byte, so that tests can also speak it wrongly.
type testClient struct {
	t         testing.TB
	conn      net.Conn
	stream    bool
	name      string
	password  string
	realm     string
	nonce     string
	buffer    []byte
	dataQueue [][]byte // ChannelData and indications that came while waiting for an answer
}

func dialTestClient(t testing.TB, transport, address, name, password string) *testClient {
	t.Helper()
	var conn net.Conn
	var err error
	switch transport {
	case "udp":
		conn, err = net.Dial("udp", address)
	case "tcp":
		conn, err = net.Dial("tcp", address)
	case "tls":
		conn, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &testClient{t: t, conn: conn, stream: transport != "udp", name: name, password: password}
}

// newClient uses a fresh credential of the user.
func (s *Server) newClient(t testing.TB, transport, user string) *testClient {
	t.Helper()
	name, password := Credential(secret, user, time.Now().Add(time.Hour))
	return dialTestClient(t, transport, s.address(transport), name, password)
}

// receive returns the next message or ChannelData; nil after the timeout or the end.
func (c *testClient) receive(timeout time.Duration) []byte {
	c.conn.SetReadDeadline(time.Now().Add(timeout))
	b := make([]byte, 65536)
	if !c.stream {
		n, err := c.conn.Read(b)
		if err != nil {
			return nil
		}
		return b[:n]
	}
	for {
		size, err := frameSize(c.buffer)
		if err != nil {
			c.t.Fatalf("the server sent no frame: %v", err)
		}
		if size > 0 && len(c.buffer) >= size {
			frame := c.buffer[:size:size]
			c.buffer = c.buffer[size:]
			return frame
		}
		n, err := c.conn.Read(b)
		if err != nil {
			return nil
		}
		c.buffer = append(c.buffer, b[:n]...)
	}
}

type with func(*builder)

func number(kind attribute, value uint32) with {
	return func(b *builder) { b.addNumber(kind, value) }
}

func peerIs(a netip.AddrPort) with {
	return func(b *builder) { b.addAddress(attrXORPeerAddress, a) }
}

func raw(kind attribute, value ...byte) with {
	return func(b *builder) { b.add(kind, value) }
}

func channelIs(n uint16) with { return number(attrChannelNumber, uint32(n)<<16) }

var overUDP = number(attrRequestedTransport, 17<<24)

// request builds a request, signed if we have a nonce.
func (c *testClient) request(m method, attributes ...with) []byte {
	var id [12]byte
	rand.Read(id[:])
	return c.requestWithID(id, m, attributes...)
}

func (c *testClient) requestWithID(id [12]byte, m method, attributes ...with) []byte {
	b := build(m, classRequest, id[:])
	for _, a := range attributes {
		a(b)
	}
	if c.nonce != "" {
		b.addText(attrUsername, c.name).addText(attrRealm, c.realm).addText(attrNonce, c.nonce)
		b.sign(longTermKey(c.name, c.realm, c.password))
	}
	return b.raw
}

func (c *testClient) send(raw []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(raw); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// answerTo waits for the answer to a request; nil if there is none.
func (c *testClient) answerTo(request []byte, timeout time.Duration) *message {
	for end := time.Now().Add(timeout); ; {
		got := c.receive(time.Until(end))
		if got == nil {
			return nil
		}
		var m message
		if m.parse(got) == nil && string(m.transaction()) == string(request[8:20]) {
			return &m
		}
		c.dataQueue = append(c.dataQueue, got)
	}
}

// once sends one request and returns the answer, whatever it is.
func (c *testClient) once(m method, attributes ...with) *message {
	c.t.Helper()
	request := c.request(m, attributes...)
	c.send(request)
	answer := c.answerTo(request, 10*time.Second)
	if answer == nil {
		c.t.Fatalf("no answer to %#x", m)
	}
	return answer
}

// do authenticates when it is asked to.
func (c *testClient) do(m method, attributes ...with) *message {
	c.t.Helper()
	for range 2 {
		answer := c.once(m, attributes...)
		code := answer.errorCode()
		if code != 438 && (code != 401 || c.nonce != "") {
			return answer
		}
		c.learn(answer)
	}
	return c.once(m, attributes...)
}

func (c *testClient) learn(answer *message) {
	realm, _ := answer.find(attrRealm)
	nonce, ok := answer.find(attrNonce)
	if !ok {
		c.t.Fatalf("a %d answer without a nonce", answer.errorCode())
	}
	c.realm, c.nonce = string(realm), string(nonce)
}

// code is what a request is answered with: 0 for success.
func (c *testClient) code(m method, attributes ...with) int {
	c.t.Helper()
	answer := c.do(m, attributes...)
	if answer.class() == classError && answer.errorCode() == 0 {
		return -1
	}
	return answer.errorCode()
}

// allocate opens a relay and returns its address.
func (c *testClient) allocate(attributes ...with) netip.AddrPort {
	c.t.Helper()
	answer := c.do(methodAllocate, append([]with{overUDP}, attributes...)...)
	if answer.class() != classSuccess {
		c.t.Fatalf("allocate: %d", answer.errorCode())
	}
	value, _ := answer.find(attrXORRelayedAddress)
	a, ok := answer.address(value)
	if !ok {
		c.t.Fatal("allocate: no relayed address")
	}
	return a
}

func (c *testClient) channelData(number uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, number)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	b = append(b, payload...)
	for c.stream && len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (c *testClient) sendIndication(peer netip.AddrPort, payload []byte) []byte {
	var id [12]byte
	rand.Read(id[:])
	return build(methodSend, classIndication, id[:]).addAddress(attrXORPeerAddress, peer).add(attrData, payload).raw
}

// data waits for the payload of the next ChannelData or Data indication, and says from whom.
func (c *testClient) data(timeout time.Duration) (payload []byte, from string) {
	for end := time.Now().Add(timeout); ; {
		var got []byte
		if len(c.dataQueue) > 0 {
			got, c.dataQueue = c.dataQueue[0], c.dataQueue[1:]
		} else if got = c.receive(time.Until(end)); got == nil {
			return nil, ""
		}
		if n, payload, ok := channelData(got); ok {
			return payload, fmt.Sprintf("channel %#x", n)
		}
		var m message
		if m.parse(got) == nil && m.class() == classIndication && m.method() == methodData {
			value, _ := m.find(attrXORPeerAddress)
			a, _ := m.address(value)
			payload, _ := m.find(attrData)
			return payload, a.String()
		}
	}
}

// closedBy is true if the server closes the connection within the time.
func (c *testClient) closedBy(timeout time.Duration) bool {
	c.conn.SetReadDeadline(time.Now().Add(timeout))
	b := make([]byte, 4096)
	for {
		if _, err := c.conn.Read(b); err != nil {
			e, ok := err.(net.Error)
			return !ok || !e.Timeout()
		}
	}
}
