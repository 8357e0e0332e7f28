package chat

import "context"

// Store runs this package's decisions inside transactions.
type Store interface {
	// Write runs f in a transaction. When f returns an error nothing of it is kept; when Write
	// returns nil all of it is on disk, and then what f told is handed on, once. Write may run f
	// again from the start, so f has no effect outside its transaction but to set variables.
	// conversation is the one that f writes to, or empty: writes to the same conversation run one
	// after the other and may share a commit.
	Write(ctx context.Context, conversation string, f func(Tx) error) error

	// Send runs [SendAll] with m and others that wait, in a transaction as that of Write.
	Send(ctx context.Context, conversation string, m *Sending) error

	// Read runs f on one consistent state that holds everything written before.
	Read(ctx context.Context, f func(View) error) error

	// Opening is the name of this opening of the database.
	Opening() string
}

// Head is a conversation without its members.
type Head struct {
	ID        string
	Kind      ConversationKind
	Name      string
	CreatedAt int64 // unix ms
	Pos       int64 // of the latest change of the feed
	Own       Place // of the latest change of Settings
	Floor     Floor
	LastSeq   int64
	N         int64
	Minute    int64    // of the latest change: unix minutes by the database's clock
	Version   int64    // grows whenever somebody joins, leaves or is invited
	Count     int      // who have joined
	Large     bool     // ever more than Config.LargeGroup have joined: what changes is told on a subject of its own
	Pair      []string // both of a direct one; nil of a group
}

// other is whom a direct conversation of user is with.
func (h Head) other(user string) string {
	if h.Pair[0] == user {
		return h.Pair[1]
	}
	return h.Pair[0]
}

// Seen is a conversation with what concerns one user, in one row.
type Seen struct {
	Head
	Mine   Membership
	MineAt Place
	Last   *Message // nil: none, or none that this user may see
}

// Participation is a row of the table of members: how one user takes part in one conversation.
type Participation struct {
	Membership
	User      string
	Delivered int64
	MissedSeq int64 // of the newest call that was missed
	InFeed    Place // of the member in the conversation's feed
	InOwn     Place // of the membership in the user's feed
}

// Pair names one row of the table of members.
type Pair struct{ Conversation, User string }

// Acquaintance is how a user stands to another.
type Acquaintance struct {
	Contact bool // the other is a contact of the user
	Shown   bool // the user has shown themselves to the other
	Blocks  bool // the user has blocked the other
	Blocked bool // the other has blocked the user
}

// Invitations is how many wait for a user.
type Invitations struct {
	User string
	All  int
	From int // those from one other user
}

// Reader is who has joined a conversation, and the first message that they may see.
type Reader struct {
	User string
	From int64
}

// ClientID names a message before it has a place.
type ClientID struct{ Sender, ID string }

// Point is a pos in the feed of a conversation.
type Point struct {
	Conversation string
	Pos          int64
}

// Span is a part of a conversation that a user has read: the messages with After < Seq <= UpTo.
type Span struct {
	Conversation, User string
	After, UpTo        int64
}

// Passed is what lies in a span, and before it.
type Passed struct {
	N   int64 // Message.N of the newest message up to UpTo; 0: there is none
	Own int64 // messages of the user in the span that count
}

// MarkedCount is how many members have the same marks.
type MarkedCount struct {
	Marks
	Members int
}

// View reads one state of the database. A bool result reports whether there is such a thing.
// Methods that take or return lists are one statement each.
type View interface {
	Now() (int64, error)                          // the database's clock, unix ms
	Known(opening string, at int64) (bool, error) // whether at is a time of that opening of this database
	User(id string) (User, bool, error)
	Users(ids []string) ([]User, error)                // those of ids that were seen, in no order
	NameTaken(name string) (bool, error)               // by a user who is no guest; names are compared by LookAlikes
	LastSeen(users []string) (map[string]int64, error) // unix ms, of those that were ever online

	Head(conversation string) (Head, bool, error)
	HeadsByID(conversations []string) ([]Head, error)                                     // in no order
	Heads(user string, beforeMinute int64, beforeID string, limit int) ([]Seen, error)    // joined and invited; by minute, then by id, both descending
	ChangedHeads(user string, sinceMinute int64, after string, limit int) ([]Seen, error) // changed in or after that minute; by id, those after the one given
	SeenBy(user string, conversations []string) ([]Seen, error)                           // those in which the user has joined or is invited
	DirectBetween(a, b string) (conversation string, found bool, err error)
	SharingGroup(user string, others []string) ([]string, error)                // those of others with a group in which both have joined
	SharingAnyOf(user string, conversations, others []string) ([]string, error) // those of others with one of these conversations in which both have joined
	Participation(conversation, user string) (Participation, bool, error)       // also of who is gone
	Participations(pairs []Pair) ([]Participation, error)
	Invitations(users []string, from string) ([]Invitations, error)              // those that wait, of users who have any
	Readers(conversation string) ([]Reader, error)                               // who have joined
	Members(conversation, after string, limit int) ([]Member, error)             // who have joined or are invited, with marks, by user id
	FirstMembers(conversations []string, limit int) (map[string][]Member, error) // a few of each who have joined, with marks, by user id
	CountMarks(conversation string, from int64) ([]MarkedCount, error)           // of all who have joined; marks below from count as from

	AreContacts(of []string, user string) ([]string, error) // those who have user as a contact: who added them, or wrote to them in a direct conversation
	HaveShown(users []string, to string) ([]string, error)  // those who opened a direct conversation with to, or wrote or called there
	Acquaintance(user, other string) (Acquaintance, error)
	Contacts(of, after string, limit int) ([]User, error) // by id; one who was never seen is called as the id
	CountContacts(of string) (int, error)
	// Of own items those that were removed are left out.
	OwnItem(user string, t ItemType, name string) (OwnItem, bool, error)
	OwnItems(user string, t ItemType, after string, limit int) ([]OwnItem, error)     // by name
	OwnItemNamed(users []string, t ItemType, name string) (map[string]OwnItem, error) // of those users who have it
	HaveOwnItems(user string, t ItemType, names []string) ([]string, error)           // those of names
	OwnItemsSize(user string, t ItemType) (count, bytes int, err error)               // of their data

	Sent(sender, clientID string) (Message, Place, bool, error)
	AllSent(sender string, clientIDs []string) (map[string]string, error) // the conversations of those of clientIDs that are messages already
	Message(conversation string, seq int64) (Message, Place, bool, error)
	Before(conversation string, seq, from int64, limit int) ([]Item, error)                      // messages, descending from seq-1, none below from
	After(conversation string, seq int64, limit int) ([]Item, error)                             // messages, ascending from seq+1
	Reactions(conversation string, seq int64) (Reactions, error)                                 // with no counts: there are none
	ReactionItems(conversation string, seqs []int64) ([]Item, error)                             // of those messages that have any, in no order
	ReactionsOf(user, conversation string, seqs []int64) (map[int64][]string, error)             // emoji, in their order
	WhoReacted(conversation string, seq int64, emoji, after string, limit int) ([]string, error) // users by id
	Passed(spans []Span) ([]Passed, error)                                                       // in their order

	// Changes returns items of a feed with pos > after, ascending, at most limit. Of a
	// conversation's, those of messages below from are left out, and of members the marks.
	ConversationChanges(conversation string, after, from int64, limit int) ([]Item, error)
	UserPos(user string) (int64, error)
	UserChanges(user string, after int64, memberships bool, limit int) ([]Item, error) // memberships: also those
	// ConversationTags are those of the items that are there. A message that is more than MaxBehind
	// changes behind may be left out.
	ConversationTags(at []Point) (map[Point]Tag, error)
	UserTags(user string, pos []int64) (map[int64]Tag, error)

	FileUses(user string, ids []string) ([]FileUse, error)    // of files, in conversations that user takes part in
	FilesOf(conversation string, seq int64) ([]string, error) // which a message has

	// For a node that looks for what it was not told of.
	ChangedSince(minute int64, after string, limit int) ([]Head, error) // by id
	UserPositions(users []string) (map[string]int64, error)
	Joined(conversation string, users []string) ([]string, error)       // those of users who have joined
	ReadersAmong(conversation string, users []string) ([]Reader, error) // the same, and what they may see; in no order
	LargeGroups(user string) ([]string, error)                          // the large conversations that the user has joined
}

// Tx reads and writes. Whoever writes first takes the heads it will change by Lock, so that what it
// reads afterwards stays true until the commit.
type Tx interface {
	View
	Files

	// Lock takes conversations, then feeds of users, each in order of their ids: it is called
	// once, before anything that decides. Those that are not there yet are passed over.
	Lock(conversations, users []string) error

	// LockFor is Lock for the conversations of messages that are to be stored. It also reads, at once,
	// the heads and how the senders take part, and returns which of the messages were sent before.
	LockFor(list []*Message) (sent map[ClientID]bool, err error)

	// PutConversation stores a new one with all that the head says but Minute, which is now, and
	// Count, for that is what PutParticipations counts; false, and nothing is stored, when there is
	// a direct one of the same pair.
	PutConversation(h Head) (bool, error)
	// NextPlace moves a conversation on by that many changes. The place is that of the first; the
	// others follow it by pos and bear the same tag. The head is as it is then.
	NextPlace(conversation string, changes int) (Head, Place, error)
	// NextMessages gives messages their Seq and N, and their places in the feeds of their
	// conversations. In each conversation they follow each other in their order.
	NextMessages(list []*Message) ([]Place, error)
	// NextPlaces are those of the next changes of users' feeds, in their order; a user who is named
	// twice gets two.
	NextPlaces(users []string) ([]Place, error)

	PutMessages(list []*Message, at []Place) error // new
	ChangeMessage(m Message, at Place) error
	PutReaction(conversation string, seq int64, user, emoji string, on bool) error
	PutReactions(conversation string, r Reactions, at Place) error // its Seq and Counts
	PutSettings(conversation string, s Settings, at Place) error
	// PutParticipations replaces or makes rows and counts again who has joined. The head is as it is
	// then, with another version.
	PutParticipations(conversation string, rows []Participation) (Head, error)
	// PutLarge makes a conversation large, for good.
	PutLarge(conversation string) error
	// PutMarks stores what has to do with marks, in rows that are there.
	PutMarks(rows []Participation) error
	// PutMine stores what a member has decided about a conversation for themselves: MutedUntil,
	// Archived and Favourite, in a row that is there.
	PutMine(p Participation) error
	// PutOwnPlaces stores InOwn, in rows that are there. It is apart from PutMarks because it costs
	// each row an index.
	PutOwnPlaces(rows []Participation) error

	PutUser(u User) error
	PutLastSeen(users map[string]int64) error
	PutOwnItem(user string, item OwnItem, at Place) error
	PutContact(of, user string, gone bool, at Place) error
	PutShown(user, to string) error // for good, whether it was or not

	// Written is about how many bytes of disk what was written so far will take: RowBytes for each row
	// and what is in it.
	Written() int

	// Tell hands on what was changed, after the commit.
	Tell(t Told)
}

// RowBytes is about what a row takes on disk beside its values, with its places in indices and
// the space that pages leave free.
const RowBytes = 200

// Told is what one commit changed, for those whom it concerns: the members of a conversation, or
// one user. The store hands it on after the commit.
type Told struct {
	Conversation string // the feed's, or empty
	Version      int64  // of the conversation's members, see Head.Version
	Large        bool   // see Head.Large
	Grew         bool   // the conversation is large with this change
	User         string // whose feed, or empty

	Item  Item          // with pos 0: none; it may be bare, see bareItem
	Marks []MemberMarks // of a conversation, in no feed
}
