package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// A request that a proxy before us might read differently is refused, or is the last one of its
// connection: what is hidden in its body is never taken for a request of somebody else's
// ("request smuggling").
func TestARequestIsNotReadInTwoWays(t *testing.T) {
	p := start(t, nil, append(anyPorts, "--data", t.TempDir())...)
	_, address, _ := strings.Cut(p.urls["http"], "://")
	const (
		post   = "POST /api/v1/guests HTTP/1.1\r\nHost: localhost\r\n"
		get    = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
		hidden = get + "Connection: close\r\n\r\n"
	)
	for name, test := range map[string]struct {
		raw  string
		want []int // the status of each answer
	}{
		"two requests, one after the other": {get + "\r\n" + hidden, []int{200, 200}},
		"Content-Length beside chunks":      {post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, []int{415}},
		"chunks, by HTTP/1.0":               {"POST /api/v1/guests HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, []int{403}},
		"two lengths":                       {post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden, []int{400}},
		"a length with a sign":              {post + "Content-Length: +0\r\n\r\n" + hidden, []int{400}},
		"an unknown encoding":               {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, []int{501}},
		"two encodings":                     {post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden, []int{501}},
		"two fields of encodings":           {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden, []int{501}},
		"a space before the colon":          {post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden, []int{400}},
		"a chunk whose size is no number":   {post + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n" + hidden, []int{415}},
		"a folded field, which is one line": {get + "X: 1\r\n Content-Length: 40\r\n\r\n" + hidden, []int{200, 200}},
		"a folded first field":              {"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n" + hidden, []int{400}},
		"a CR alone in a field":             {get + "X: 1\rContent-Length: 40\r\n\r\n" + hidden, []int{400}},
		"a NUL in a field":                  {get + "X: \x00\r\n\r\n" + hidden, []int{400}},
		"two hosts":                         {get + "Host: evil.example\r\n\r\n" + hidden, []int{400}},
		"no host":                           {"GET /healthz HTTP/1.1\r\n\r\n" + hidden, []int{400}},
		"a host in the address, which counts, and another in the field": {"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n" + hidden, []int{403, 200}},
		"a tunnel to somewhere else":                                    {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n" + hidden, []int{403, 200}},
		"HTTP/2 without TLS":                                            {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden, []int{403}},
		"an upgrade to that":                                            {get + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n" + hidden, []int{200, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(conn, test.raw); err != nil {
				t.Fatal(err)
			}
			var got []int
			for r := bufio.NewReader(conn); ; {
				answer, err := http.ReadResponse(r, nil)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				got = append(got, answer.StatusCode)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("the answers are %v, want %v", got, test.want)
			}
		})
	}
}
