package signaling

import (
	"slices"
	"time"
)

// class says what may happen to a frame that a tab is too slow to take.
type class uint8

const (
	durable   class = iota // refusals, pings, ends of legs: never dropped
	welcome                // the answer to hello: never dropped, and before all else
	answer                 // results and pages of the greeting: whoever queues one has waited for space, so it never is what closes the tab
	change                 // of a feed: those of one feed become one that says only how far the feed has come
	mergeable              // only the newest with its key matters: presence, marks, slots
	ephemeral              // may be dropped: typing, speaker
)

// item is a frame in the queue of one tab.
type item struct {
	frame *frame
	class class
	key   string // of a mergeable one; of a change its feed
	pos   int64  // of a change
	at    time.Time
}

// queue holds what one tab has not taken yet. It is bounded by bytes, to which answers add one for
// each that works for the tab; how many feeds it names is bounded by the conversations of one user.
type queue struct {
	limit  int
	maxAge time.Duration

	items []item
	bytes int              // of items
	paced int              // of those that are answers
	bare  map[string]int64 // feeds whose changes are no longer queued, and how far they have come; nil when there are none
	since time.Time        // when something was last taken, or when the first was queued
}

// push adds an item. When the queue is over its bytes it first drops what is ephemeral, then
// merges what can be merged, then collapses changes: the tab asks for them when it reads again.
// It returns false when that was not enough, or when nothing was taken for too long.
func (q *queue) push(it item) (dropped, merged int, ok bool) {
	if q.empty() {
		q.since = it.at
	}
	if pos, collapsed := q.bare[it.key]; collapsed && it.class == change {
		q.bare[it.key] = max(pos, it.pos)
		return 0, 1, q.inTime(it.at)
	}
	if it.class == change && it.frame == nil {
		q.collapseOne(it)
		return 0, 0, q.inTime(it.at)
	}
	q.items = append(q.items, it)
	q.bytes += len(it.frame.data)
	if it.class == answer {
		q.paced += len(it.frame.data)
	}
	if q.over() {
		dropped = q.filter(func(it item) bool { return it.class != ephemeral })
	}
	if q.over() {
		merged = q.merge()
	}
	if q.over() {
		merged += q.filter(func(it item) bool {
			if it.class == change {
				q.collapseOne(it)
			}
			return it.class != change
		})
	}
	return dropped, merged, !q.over() && q.inTime(it.at)
}

func (q *queue) empty() bool { return len(q.items) == 0 && len(q.bare) == 0 }

func (q *queue) over() bool { return q.bytes-q.paced > q.limit }

func (q *queue) inTime(now time.Time) bool { return now.Sub(q.since) <= q.maxAge }

func (q *queue) collapseOne(it item) {
	if q.bare == nil {
		q.bare = map[string]int64{}
	}
	q.bare[it.key] = max(q.bare[it.key], it.pos)
}

// merge keeps of mergeable items the newest of each key, with what the older ones said.
func (q *queue) merge() (merged int) {
	newest := map[string]int{}
	for i, it := range q.items {
		if it.class != mergeable {
			continue
		}
		if before, ok := newest[it.key]; ok {
			q.unite(before, i)
		}
		newest[it.key] = i
	}
	i := -1
	return q.filter(func(it item) bool {
		i++
		return it.class != mergeable || newest[it.key] == i
	})
}

// unite makes the newer of two items hold what the older one said.
func (q *queue) unite(older, newer int) {
	it := &q.items[newer]
	united := unite(it.key, q.items[older].frame, it.frame)
	q.bytes += len(united.data) - len(it.frame.data)
	it.frame = united
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

// take moves items to batch, as many as fit into size bytes and at least one. Collapsed feeds
// go first, but for the welcome: between feeds there is no order, and nothing of those feeds is
// queued.
func (q *queue) take(batch []item, size int, now time.Time) []item {
	q.since = now
	if len(q.items) > 0 && q.items[0].class == welcome && len(q.bare) > 0 {
		batch = append(batch, q.items[0])
		q.bytes -= len(q.items[0].frame.data)
		q.items = slices.Delete(q.items, 0, 1)
		return batch
	}
	sum := 0
	for feed, pos := range q.bare {
		f := bareChange(feed, pos)
		if sum > 0 && sum+len(f.data) >= size {
			return batch
		}
		sum += len(f.data)
		batch = append(batch, item{frame: f, class: change, key: feed, pos: pos, at: now})
		delete(q.bare, feed)
	}
	q.bare = nil
	n, bytes := 0, 0
	for n < len(q.items) && (n == 0 && len(batch) == 0 || sum+len(q.items[n].frame.data) < size) {
		sum += len(q.items[n].frame.data)
		bytes += len(q.items[n].frame.data)
		n++
	}
	batch = append(batch, q.items[:n]...)
	q.bytes -= bytes
	for _, it := range q.items[:n] {
		if it.class == answer {
			q.paced -= len(it.frame.data)
		}
	}
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
	dropped = len(q.items) + len(q.bare)
	q.items, q.bytes, q.paced, q.bare = nil, 0, 0, nil
	return dropped
}
