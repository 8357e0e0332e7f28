package signaling

import linked "container/list"

// lru remembers values by key, as many as weigh no more than its limit, and forgets those that
// were not asked for the longest. It is not safe for concurrent use.
type lru[K comparable, V any] struct {
	limit  int
	weight int
	order  linked.List // of *entry, the latest first
	byKey  map[K]*linked.Element
}

type entry[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{limit: limit, byKey: map[K]*linked.Element{}}
}

func (l *lru[K, V]) get(key K) (value V, found bool) {
	e := l.byKey[key]
	if e == nil {
		return value, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

// put remembers a value in place of the one of its key.
func (l *lru[K, V]) put(key K, value V, weight int) {
	l.remove(key)
	l.byKey[key] = l.order.PushFront(&entry[K, V]{key, value, weight})
	l.weight += weight
	for l.weight > l.limit && l.order.Len() > 1 {
		l.remove(l.order.Back().Value.(*entry[K, V]).key)
	}
}

func (l *lru[K, V]) remove(key K) {
	e := l.byKey[key]
	if e == nil {
		return
	}
	l.weight -= e.Value.(*entry[K, V]).weight
	l.order.Remove(e)
	delete(l.byKey, key)
}
