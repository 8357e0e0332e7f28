package main

import (
	"fmt"
	"io"
	"net"
	"strings"

	"carillon/front"
	"carillon/sfu"
	"carillon/turn"
)

// announce prints NAME URL for every listener, then where the data is and what to click.
func announce(out io.Writer, public *front.Front, private net.Addr, media *sfu.SFU, relays *turn.Server, data string, demo bool) {
	scheme := "http"
	if public.Secure() {
		scheme = "https"
	}
	url := scheme + "://" + public.HTTP().Addr().String()
	udp, tcp := media.Addresses()
	fmt.Fprintf(out, "%s %s\n", scheme, url)
	fmt.Fprintf(out, "media-udp udp://%s\n", udp)
	if tcp.IsValid() {
		fmt.Fprintf(out, "media-tcp tcp://%s\n", tcp)
	}
	if relays != nil {
		for _, u := range relays.URLs() {
			_, transport, _ := strings.Cut(u, "?transport=")
			if strings.HasPrefix(u, "turns:") {
				transport = "tls"
			}
			fmt.Fprintf(out, "turn-%s %s\n", transport, u)
		}
	}
	fmt.Fprintf(out, "private http://%s\n", private)
	fmt.Fprintf(out, "data %s\n", data)
	if demo {
		fmt.Fprintf(out, "open %s/demo?user=alice&with=bob\n", url)
		fmt.Fprintf(out, "open %s/demo?user=bob&with=alice\n", url)
	}
	fmt.Fprintln(out, "ready")
}
