package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
)

// In these floods mallory is a member of the call of alice and bob.
func prepareMember(ctx context.Context, w *world) error { return w.joinHonestCall(ctx) }

// chatChannel sends large frames on the reliable channel, as fast as it takes them.
func chatChannel(ctx context.Context, w *world) (string, error) {
	return w.floodChannel(ctx, w.mallory.chat, make([]byte, 60<<10))
}

// lossyChannel sends on the channel whose messages go to everybody in the call.
func lossyChannel(ctx context.Context, w *world) (string, error) {
	var got atomic.Int64
	w.bob.lossy.OnMessage(func(webrtc.DataChannelMessage) { got.Add(1) })
	sent, err := w.floodChannel(ctx, w.mallory.lossy, make([]byte, 1200))
	return fmt.Sprintf("%s; bob got %d", sent, got.Load()), err
}

func (w *world) floodChannel(ctx context.Context, channel *webrtc.DataChannel, message []byte) (string, error) {
	const most = 1 << 20 // bytes that may wait here
	sent := 0
	for ctx.Err() == nil {
		if channel.ReadyState() != webrtc.DataChannelStateOpen {
			return fmt.Sprintf("%d messages of %d bytes, then the channel was closed", sent, len(message)), nil
		}
		if channel.BufferedAmount() > most {
			sleep(ctx, time.Millisecond)
			continue
		}
		if channel.Send(message) != nil {
			continue // it was closed just now
		}
		sent++
	}
	return fmt.Sprintf("%d messages of %d bytes", sent, len(message)), nil
}

// manyChannels opens one data channel after another.
func manyChannels(ctx context.Context, w *world) (string, error) {
	var opened, refused atomic.Int64
	made := 0
	for ; made < 5000 && ctx.Err() == nil; made++ {
		c, err := w.mallory.pc.CreateDataChannel("chat", nil)
		if err != nil {
			break
		}
		c.OnOpen(func() { opened.Add(1) })
		c.OnClose(func() { refused.Add(1) })
		sleep(ctx, time.Millisecond)
	}
	return fmt.Sprintf("%d channels asked for, %d opened, %d of them closed", made, opened.Load(), refused.Load()), nil
}
