package target

// Relay is a TURN server that a target has, and a credential for it.
type Relay struct {
	URL        string `json:"url"` // turn:host:port?transport=udp
	Username   string `json:"username"`
	Credential string `json:"credential"`
}
