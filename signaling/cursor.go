package signaling

// cursor says how far a feed was told to the tabs of this node. Changes reach it from this
// node's own commits, from other nodes and from the database, in any order and more than once;
// it lets each through once, by pos. It may be forgotten at any time: the tabs compare the
// numbers, too.
type cursor struct {
	begun bool
	told  int64            // all up to here was told, or is older than the tabs of this node
	ahead map[int64]notice // what came before a change that is missing, by pos; nil when nothing is missing
}

// notice is a change of a feed on its way to the tabs of this node. Without a frame it says only
// that the feed has come to pos.
type notice struct {
	pos     int64
	frame   *frame
	seq     int64    // of a message
	readers *readers // of a conversation's feed; of a large one only where they were read again
	version int64    // of the members of a large one, as of this change; 0: as before
	sight   *sight   // nil: as before
}

// sight is what a change may change of whom those who are told of it may see.
type sight struct {
	Left   string `json:"left,omitempty"`   // a conversation that the user has left: what a membership says
	Joined string `json:"joined,omitempty"` // one that the user has joined
	Member string `json:"member,omitempty"` // who has joined or left the conversation
	Reads  bool   `json:"reads,omitempty"`  // whether the member has joined it
	From   int64  `json:"from,omitempty"`   // the first message that the member may see
	Sender string `json:"sender,omitempty"` // of a message in a direct conversation
}

// maxAhead is how many changes wait for one that is missing. When there are more they are
// forgotten, and read from the database with the missing one.
const maxAhead = 100

// take says which notices are to be told now, in this order. When some are missing before this
// one, it is kept and missing is true.
func (c *cursor) take(n notice) (tell []notice, missing bool) {
	switch {
	case !c.begun:
		c.begun, c.told = true, n.pos
		return []notice{n}, false
	case n.pos <= c.told:
		return nil, len(c.ahead) > 0
	case n.pos > c.told+1 || n.frame == nil:
		if c.ahead == nil {
			c.ahead = map[int64]notice{}
		}
		if len(c.ahead) >= maxAhead {
			clear(c.ahead)
		}
		c.ahead[n.pos] = n
		return nil, true
	}
	tell = append(tell, n)
	c.told = n.pos
	return append(tell, c.next()...), len(c.ahead) > 0
}

// next returns those that waited for what was just told, and forgets those that are told.
func (c *cursor) next() (tell []notice) {
	for {
		n, waits := c.ahead[c.told+1]
		if !waits || n.frame == nil {
			break
		}
		tell = append(tell, n)
		c.told++
	}
	for pos := range c.ahead {
		if pos <= c.told {
			delete(c.ahead, pos)
		}
	}
	if len(c.ahead) == 0 {
		c.ahead = nil
	}
	return tell
}

// read takes what the database has after told: all items up to pos. Not every number has an item,
// for one that changes again leaves its old number. It says what is to be told now.
func (c *cursor) read(items []notice, pos int64) (tell []notice, missing bool) {
	for _, n := range items {
		if n.pos > c.told {
			tell = append(tell, n)
			c.told = n.pos
		}
	}
	c.begun, c.told = true, max(c.told, pos)
	tell = append(tell, c.next()...)
	return tell, len(c.ahead) > 0
}
