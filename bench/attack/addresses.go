package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// Linux answers on all of 127.0.0.0/8, so who is who can have an address of their own. The
// server tells users on its own machine not apart, since they may all have come through a proxy;
// therefore requests over HTTP come through an address that it trusts as a proxy and that tells
// theirs. What is not HTTP comes from the attacker's own address.
const (
	proxyAddress    = "127.0.0.9"
	attackerAddress = "127.0.0.66"
	victimAddress   = "127.0.0.99" // of somebody who has nothing to do with any of it

	honestRemote   = "198.51.100.7" // as the proxy tells
	attackerRemote = "203.0.113.66"
)

// from returns a dialer whose connections come from an address.
func from(address string) *net.Dialer {
	return &net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
}

// webSockets returns a dialer for WebSockets that come through the proxy, and the header that
// it adds for a client.
func (w *world) webSockets(remote string) (*websocket.Dialer, http.Header) {
	return &websocket.Dialer{
		NetDialContext: from(proxyAddress).DialContext, TLSClientConfig: w.server.trust, HandshakeTimeout: 5 * time.Second,
	}, http.Header{"X-Forwarded-For": {remote}}
}

// web returns a client for HTTP that comes through the proxy.
func (w *world) web(remote string, connections int) *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: addHeader{remote, &http.Transport{
			DialContext: from(proxyAddress).DialContext, TLSClientConfig: w.server.trust, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
		}},
	}
}

// addHeader tells the address of the client as a proxy does.
type addHeader struct {
	remote string
	*http.Transport
}

func (a addHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", a.remote)
	return a.Transport.RoundTrip(r)
}

// udpFrom opens a socket at an address of the attacker, or of the victim.
func udpFrom(address string) (*net.UDPConn, error) {
	return net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(address)})
}

// dialFrom opens a TCP connection from an address.
func dialFrom(ctx context.Context, address, to string) (net.Conn, error) {
	return from(address).DialContext(ctx, "tcp", to)
}
