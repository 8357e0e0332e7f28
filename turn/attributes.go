package turn

type class uint16

const (
	classRequest    class = 0x000
	classIndication class = 0x010
	classSuccess    class = 0x100
	classError      class = 0x110
)

type method uint16

const (
	methodBinding          method = 0x001
	methodAllocate         method = 0x003
	methodRefresh          method = 0x004
	methodSend             method = 0x006
	methodData             method = 0x007
	methodCreatePermission method = 0x008
	methodChannelBind      method = 0x009
)

type attribute uint16

const (
	attrUsername           attribute = 0x0006
	attrMessageIntegrity   attribute = 0x0008
	attrErrorCode          attribute = 0x0009
	attrUnknownAttributes  attribute = 0x000A
	attrChannelNumber      attribute = 0x000C
	attrLifetime           attribute = 0x000D
	attrXORPeerAddress     attribute = 0x0012
	attrData               attribute = 0x0013
	attrRealm              attribute = 0x0014
	attrNonce              attribute = 0x0015
	attrXORRelayedAddress  attribute = 0x0016
	attrRequestedFamily    attribute = 0x0017
	attrEvenPort           attribute = 0x0018
	attrRequestedTransport attribute = 0x0019
	attrXORMappedAddress   attribute = 0x0020
	attrReservationToken   attribute = 0x0022
	attrSoftware           attribute = 0x8022
	attrFingerprint        attribute = 0x8028
)

// understood are the comprehension-required attributes (below 0x8000) that we obey. Any
// other in a request is answered with 420.
// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.1
func understood(a attribute) bool {
	switch a {
	case attrUsername, attrMessageIntegrity, attrChannelNumber, attrLifetime, attrXORPeerAddress, attrData, attrRealm,
		attrNonce, attrRequestedFamily, attrEvenPort, attrRequestedTransport, attrReservationToken:
		return true
	}
	return a >= 0x8000
}

// reasons are the reason phrases of the error codes in the RFCs.
var reasons = map[int]string{
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	420: "Unknown Attribute",
	437: "Allocation Mismatch",
	438: "Stale Nonce",
	440: "Address Family not Supported",
	441: "Wrong Credentials",
	442: "Unsupported Transport Protocol",
	443: "Peer Address Family Mismatch",
	486: "Allocation Quota Reached",
	508: "Insufficient Capacity",
}
