package chat

import (
	"context"

	"carillon/refusal"
)

// Resumption is where a tab begins that comes, or comes back.
type Resumption struct {
	At       int64    // by the database's clock, before anything was read
	Opening  string   // of the database
	Resumed  bool     // the tab's history is of this database: it is sent what changed
	Diverged []string // feeds in which the tab has another history, or that begin later, or are not its user's
}

// maxResumed is how many conversations a tab may keep; newestKept is how many items of each are
// compared.
const maxResumed, newestKept = 100, 3

// Resume compares what a tab has with what there is: as of a time of an opening of the database,
// feeds up to a pos. Who has nothing yet names no opening.
func (s *Service) Resume(ctx context.Context, user, opening string, at int64, feeds map[string]FeedPosition) (r Resumption, err error) {
	if len(feeds) > maxResumed+1 {
		return r, refusal.New(refusal.TooLarge, "A tab resumes at most %d conversations.", maxResumed)
	}
	err = s.store.Read(ctx, func(v View) (err error) {
		r = Resumption{Opening: s.store.Opening(), Diverged: []string{}}
		if r.At, err = v.Now(); err != nil || !isID(opening) {
			return err
		}
		if r.Resumed, err = v.Known(opening, at); err != nil || !r.Resumed {
			return err
		}
		r.Diverged, err = s.diverged(v, user, feeds)
		return err
	})
	return r, err
}

// diverged returns those of feeds that are another history than the tab's.
func (s *Service) diverged(v View, user string, feeds map[string]FeedPosition) ([]string, error) {
	var ids []string
	for feed := range feeds {
		if feed != OwnFeed {
			ids = append(ids, feed)
		}
	}
	seen, err := s.seenBy(v, user, ids)
	if err != nil {
		return nil, err
	}
	heads := make(map[string]Head, len(seen)+1)
	for _, h := range seen {
		if h.Mine.State == Joined {
			heads[h.ID] = h.Head
		}
	}
	var points []Point
	for feed := range heads {
		for _, place := range newest(feeds[feed]) {
			points = append(points, Point{feed, place.Pos})
		}
	}
	tags := map[Point]Tag{}
	if len(points) > 0 {
		if tags, err = v.ConversationTags(points); err != nil {
			return nil, err
		}
	}
	if own, named := feeds[OwnFeed]; named {
		if heads[OwnFeed], err = ownHead(v, user, own, tags); err != nil {
			return nil, err
		}
	}
	diverged := []string{}
	for feed, position := range feeds {
		if h, mine := heads[feed]; !mine || !continues(feed, position, h, tags) {
			diverged = append(diverged, feed)
		}
	}
	return diverged, nil
}

// ownHead returns the head of a user's feed, and adds to tags those of its newest items.
func ownHead(v View, user string, position FeedPosition, tags map[Point]Tag) (h Head, err error) {
	if h.Pos, err = v.UserPos(user); err != nil {
		return h, err
	}
	var at []int64
	for _, place := range newest(position) {
		at = append(at, place.Pos)
	}
	if len(at) == 0 {
		return h, nil
	}
	own, err := v.UserTags(user, at)
	for pos, tag := range own {
		tags[Point{OwnFeed, pos}] = tag
	}
	return h, err
}

// continues reports whether a feed is the continuation of what a tab has of it. Another tag at a pos
// shows that it is not. One of the newest items that is where it was shows that it is: those that
// have changed since are at their old pos no more. When all of them have, a conversation begins
// afresh, which costs a page; the user's own feed, in which the same few memberships change again
// and again and which may be very long, is taken for the same.
func continues(feed string, position FeedPosition, h Head, tags map[Point]Tag) bool {
	if position.Pos > h.Pos || position.Pos < h.Floor.Pos {
		return false
	}
	same := position.Pos == 0 && len(position.Newest) == 0
	for _, place := range newest(position) {
		tag, there := tags[Point{feed, place.Pos}]
		if there && tag != place.Tag {
			return false
		}
		same = same || there
	}
	return same || feed == OwnFeed && len(position.Newest) > 0
}

func newest(p FeedPosition) []Place { return p.Newest[:min(newestKept, len(p.Newest))] }
