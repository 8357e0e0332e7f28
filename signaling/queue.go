package signaling

import "time"

// class says what may happen to a frame that a tab is too slow to take.
type class uint8

const (
	durable   class = iota // results, events, commands: never dropped; the tab is closed instead
	mergeable              // only the newest with its key matters: presence, receipts, slots
	ephemeral              // may be dropped: typing, speaker
)

// item is a frame in the queue of one tab.
type item struct {
	frame *frame
	class class
	key   string // of a mergeable one
	at    time.Time
}

// queue holds what one tab has not taken yet. It is bounded by bytes and by age.
type queue struct {
	limit  int
	maxAge time.Duration

	items []item
	bytes int
}

// push adds an item. When the queue is over its bytes it first drops what is ephemeral,
// then merges what can be merged. It returns false when that was not enough, or when the
// oldest item waits too long: the tab is too slow.
func (q *queue) push(it item) (dropped, merged int, ok bool) {
	q.items = append(q.items, it)
	q.bytes += len(it.frame.data)
	if q.over() {
		dropped = q.filter(func(it item) bool { return it.class != ephemeral })
	}
	if q.over() {
		merged = q.merge()
	}
	return dropped, merged, !q.over() && (len(q.items) == 0 || it.at.Sub(q.items[0].at) <= q.maxAge)
}

// over returns whether more waits than may. One item that is larger than all that may wait does
// not count: a tab that was closed for it would come back and ask for the same, without end.
func (q *queue) over() bool {
	if q.bytes <= q.limit {
		return false
	}
	for _, it := range q.items {
		if n := len(it.frame.data); n > q.limit {
			return q.bytes-n > q.limit
		}
	}
	return true
}

func (q *queue) merge() (merged int) {
	newest := map[string]int{}
	for i, it := range q.items {
		if it.class == mergeable {
			newest[it.key] = i
		}
	}
	i := -1
	return q.filter(func(it item) bool {
		i++
		return it.class != mergeable || newest[it.key] == i
	})
}

func (q *queue) filter(keep func(item) bool) (dropped int) {
	kept := q.items[:0]
	for _, it := range q.items {
		if keep(it) {
			kept = append(kept, it)
		} else {
			q.bytes -= len(it.frame.data)
			dropped++
		}
	}
	clear(q.items[len(kept):])
	q.items = kept
	return dropped
}

// take moves items to batch, as many as fit into size bytes and at least one.
func (q *queue) take(batch []item, size int) []item {
	n, sum := 0, 0
	for n < len(q.items) && (n == 0 || sum+len(q.items[n].frame.data) < size) {
		sum += len(q.items[n].frame.data)
		n++
	}
	batch = append(batch, q.items[:n]...)
	q.bytes -= sum
	if n == len(q.items) {
		q.items = nil // an idle tab keeps no room
		return batch
	}
	rest := copy(q.items, q.items[n:])
	clear(q.items[rest:])
	q.items = q.items[:rest]
	return batch
}

// drop forgets everything.
func (q *queue) drop() (dropped int) {
	dropped = len(q.items)
	q.items, q.bytes = nil, 0
	return dropped
}
