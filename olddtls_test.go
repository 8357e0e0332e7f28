package main

import (
	"bytes"
	"os"
	"testing"
)

// pion/turn/v3 brings pion/stun/v2, whose client can speak DTLS by pion/dtls/v2, which is no
// longer maintained. Nothing here calls that, so the linker leaves out its connections: no
// packet reaches them. The names of all functions stand in the binary.
func TestNoPacketReachesTheOldDTLS(t *testing.T) {
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(binary, []byte("github.com/pion/dtls/v3.(*Conn).")) {
		t.Fatal("the functions of the DTLS in use are not found: this test does not see the others either")
	}
	for _, name := range []string{"(*Conn).", "Client", "Server"} {
		if bytes.Contains(binary, []byte("github.com/pion/dtls/v2."+name)) {
			t.Errorf("pion/dtls/v2.%s is in the binary", name)
		}
	}
}
