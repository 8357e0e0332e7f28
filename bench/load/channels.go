package load

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/logging"
	"github.com/pion/sctp"
)

// channels are a peer's two data channels: chat (reliable, ordered) and lossy
// (unordered, never sent again).
type channels struct {
	association *sctp.Association
	chat, lossy *datachannel.DataChannel
}

// openChannels waits up to ten seconds for the server.
func openChannels(ctx context.Context, conn net.Conn) (*channels, error) {
	type result struct {
		channels *channels
		err      error
	}
	opened := make(chan result, 1) // one result, so the goroutine ends even if nobody waits
	go func() {
		c, err := dialChannels(conn)
		opened <- result{c, err}
	}()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	select {
	case r := <-opened:
		return r.channels, r.err
	case <-ctx.Done():
		_ = conn.Close() // which ends the goroutine
		<-opened
		return nil, fmt.Errorf("data channels: %w", context.Cause(ctx))
	}
}

func dialChannels(conn net.Conn) (*channels, error) {
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	association, err := sctp.ClientWithOptions(sctp.WithNetConn(conn), sctp.WithName("bench"), sctp.WithMTU(1191), sctp.WithLoggerFactory(quiet))
	if err != nil {
		return nil, fmt.Errorf("sctp: %w", err)
	}
	c := &channels{association: association}
	if c.chat, err = datachannel.Dial(association, 0, &datachannel.Config{ChannelType: datachannel.ChannelTypeReliable, Label: "chat", LoggerFactory: quiet}); err != nil {
		return nil, fmt.Errorf("data channel chat: %w", err)
	}
	c.lossy, err = datachannel.Dial(association, 2, &datachannel.Config{
		ChannelType: datachannel.ChannelTypePartialReliableRexmitUnordered, ReliabilityParameter: 0, Label: "lossy", LoggerFactory: quiet})
	if err != nil {
		return nil, fmt.Errorf("data channel lossy: %w", err)
	}
	return c, nil
}

func (c *channels) close() {
	_ = c.chat.Close()
	_ = c.lossy.Close()
	_ = c.association.Close()
}

// pick returns lossy or chat.
func (c *channels) pick(lossy bool) *datachannel.DataChannel {
	if lossy {
		return c.lossy
	}
	return c.chat
}

// SendStamped writes one text of so many bytes, as clients do, that ends with a stamp.
func (p *Peer) SendStamped(lossy bool, size int) error {
	b := make([]byte, size)
	fillWithNoise(b)
	writeStamp(b, time.Now().UnixNano())
	_, err := p.channels.pick(lossy).WriteDataChannel(b, false)
	return err
}

// ReadStamped tells received how long each stamped text took. It returns when the channel ends.
func (p *Peer) ReadStamped(lossy bool, received func(took time.Duration)) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := p.channels.pick(lossy).ReadDataChannel(b)
		if err != nil {
			return
		}
		if sent, ok := readStamp(b[:n]); ok {
			received(time.Duration(time.Now().UnixNano() - sent))
		}
	}
}
