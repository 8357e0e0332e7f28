// Package doctor looks at a configuration, at the machine, and at the carillon that runs on
// it as a caller would, and says in words for whoever runs the server what callers suffer
// from and what to change.
//
//	configuration ─▶ can each address be bound, is each certificate good, what are callers told?
//	running server ─▶ page, sign-in, a call's answer, media by UDP and TCP, each relay
//	machine ─▶ clock, buffers of sockets, open files, data folder
//
// It changes nothing: the callers that it plays leave, and what it binds it gives back. Beyond
// this machine it asks only DNS, and the STUN and TURN servers that the configuration names.
//
// A check gathers facts, and judge methods decide from facts alone, so that tests need no
// network for the decisions.
package doctor

import (
	"context"
	"strings"
	"time"

	"carillon/sfu"
	"carillon/turn"
)

// Subject is what Examine looks at: the parts of a configuration that matter to callers.
type Subject struct {
	Invalid error    // why a server would not start with this configuration; nil: it is valid
	Exposed []string // secrets in a configuration file that every user of this machine may read: keys and where they stand
	Folder  string   // of the data
	Demo    bool     // anybody may sign in under any name

	HTTP          HTTP
	Private       string // private.listen
	Media         sfu.Config
	Turn          turn.Config
	ICE           ICE
	LeewaySeconds int // by which clocks may differ (auth.leeway_seconds); 0: the default

	// Mint signs a token as the site's backend would, for a user in one room and a time.
	Mint func(ctx context.Context, user, room string, ttl time.Duration) (string, error)
	// TurnSecret is the generated one, which counts where turn.secrets is empty.
	TurnSecret func() (string, error)
}

// HTTP is the table [http].
type HTTP struct {
	Listen, Cert, Key string
	ACME              []string
}

// ICE is the table [ice]: STUN and TURN servers of others.
type ICE struct {
	URLs   []string
	Secret string
}

// asUser is whom doctor signs in as.
const asUser = "carillon-doctor"

// Examine runs every check that the subject and what runs allow. End ctx to end it early.
func Examine(ctx context.Context, s Subject) []Finding {
	clock := startClock()
	all := []Finding{checkConfiguration(s)}
	server, err := findRunning(s.Folder)
	all = append(all, checkData(s.Folder, server, err))
	all = append(all, checkListeners(s, server)...)
	all = append(all, checkAddresses(s, machineFacts()))
	all = append(all, checkCertificates(ctx, s, server)...)
	var ahead *time.Duration
	if server == nil {
		all = append(all, skipped("calls", "no carillon runs with %s, so nobody could be called; start it and ask again", s.Folder))
	} else {
		var found []Finding
		found, ahead = checkCalls(ctx, s, server)
		all = append(all, found...)
	}
	all = append(all, clock.check(ahead, s.LeewaySeconds)...)
	return append(all, checkBuffers(s.Media.UDP.BufferBytes), checkDescriptors(server))
}

func checkConfiguration(s Subject) Finding {
	if s.Invalid != nil {
		return Unusable("configuration", s.Invalid, "change the key that is named")
	}
	if len(s.Exposed) > 0 {
		return Finding{
			Check: "configuration", Status: StatusWarning,
			Found:   "every user of this machine may read the secrets in " + strings.Join(s.Exposed, ", "),
			Suffers: "such a user may sign in as anybody, or read what is stored",
			Change:  "chmod o-r the file and give it to the group of the user that runs carillon, or set these keys in the environment",
		}
	}
	how := "your backend signs tokens"
	if s.Demo {
		how = "demo sign-in, which is possible on loopback only"
	}
	return ok("configuration", "valid; %s", how)
}
