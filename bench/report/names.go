package report

// Paths of media.
const (
	PathUDP     = "udp"
	PathTCP     = "ice-tcp"
	PathTURN    = "turn-udp"
	PathTURNTCP = "turn-tcp"
	PathTURNTLS = "turn-tls"
)

// Shapes of load.
const (
	ShapePair   = "1:1"
	ShapeFanOut = "1:N"
	ShapeRoom   = "N:N"
	ShapeAudio  = "audio"
	ShapeLayers = "simulcast"
	ShapeRing   = "ring"
	ShapeChat   = "messages"
)

// Paths that are not RTP.
const (
	PathReliable  = "data-reliable"
	PathLossy     = "data-lossy"
	PathWebSocket = "websocket"
)

// What limited a row.
const (
	LimitedByLoad      = "load"      // nothing did: the server took all that was offered
	LimitedByServer    = "server"    // its processor time was used up
	LimitedByLoss      = "loss"      // packets were lost though the server had time: the path, or the server's queues
	LimitedByGenerator = "generator" // the generator was the limit; such a row is not reported
	LimitedByMachine   = "machine"   // other programs used the processors; such a row is not reported
)

// Phases of setting up a peer, in their order.
const (
	PhaseSignal = "signal" // the offer, until the answer is here
	PhaseICE    = "ice"
	PhaseDTLS   = "dtls"
	PhaseMedia  = "media" // until the first packet of media can be read
)

var phaseOrder = []string{PhaseSignal, PhaseICE, PhaseDTLS, PhaseMedia}

// What a row's ratio to the floor compares.
const (
	RatioOfInstructions = "instructions"
	RatioOfTime         = "time"
)
