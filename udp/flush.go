package udp

import "time"

// Flush sends what is queued now, from the caller's goroutine. A loop that reads all there is
// and then writes many packets ends with it, and its packets wait for no others.
func (c *Conn) Flush() { c.flush() }

// flushLoop sends the queue each time a writer has woken it, until Close.
func (c *Conn) flushLoop() {
	d := delay{longest: c.cfg.wait()}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		}
		if wait := d.next(); wait > 0 {
			timer.Reset(wait)
			select {
			case <-c.done:
				return
			case <-c.full:
			case <-timer.C:
			}
		}
		d.sent(c.flush())
	}
}

// flush exchanges the two queues and sends the one that was filled. It returns the number of
// packets. Writers go on filling the other one meanwhile.
func (c *Conn) flush() int {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.mu.Lock()
	c.queued, c.sending = c.sending, c.queued
	c.pending = false
	c.mu.Unlock()
	n := len(c.sending.packets)
	if n > 0 {
		c.sender.send(c.sending)
		c.sending.reset()
	}
	return n
}
