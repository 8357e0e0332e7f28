package chat

import "context"

// Store runs this package's decisions inside transactions.
type Store interface {
	// Write runs f once, alone, in a transaction. When f returns an error nothing of it
	// is kept; when Write returns nil all of it is on disk.
	Write(ctx context.Context, f func(Tx) error) error

	// Read runs f on one consistent state that holds everything written before.
	Read(ctx context.Context, f func(View) error) error

	// Epoch changes when the history is not a continuation of what clients saw.
	Epoch() string
}

// Head is a conversation without its members.
type Head struct {
	ID        string
	Kind      ConversationKind
	Name      string
	LastSeq   int64
	LastAt    int64 // of the last message, or the creation; unix ms
	CreatedAt int64
}

// Mark names one message: a conversation and a seq in it.
type Mark struct {
	Conversation string
	Seq          int64
}

// View reads one state of the database. A bool result reports whether there is such a thing.
type View interface {
	User(id string) (User, bool, error)
	NameTaken(name string) (bool, error)                 // by a user who is no guest; names are compared by LookAlikes
	Neighbours(user string, limit int) ([]string, error) // who shares a conversation with user, latest first
	Objects(user string) ([]UserObject, error)           // by key

	Head(conversation string) (Head, bool, error)
	Heads(user string, beforeAt int64, beforeID string, limit int) ([]Head, error) // latest first, older than the cursor
	DirectBetween(a, b string) (conversation string, found bool, err error)
	ShareGroup(a, b string) (bool, error)
	IsContact(of, user string) (bool, error)              // of added user, or wrote to them in a direct conversation
	HasShown(user, to string) (bool, error)               // user opened a direct conversation with to, wrote or called there
	Contacts(of, after string, limit int) ([]User, error) // by id; one who was never seen is called as the id
	CountContacts(of string) (int, error)
	MemberIDs(conversation string) ([]string, error)
	Members(conversation string) ([]Member, error)
	Member(conversation, user string) (Member, bool, error)

	Sent(sender, clientID string) (Message, bool, error)
	Message(conversation string, seq int64) (Message, bool, error)
	Before(conversation string, seq int64, limit int) ([]Message, error) // descending from seq-1
	After(conversation string, seq int64, limit int) ([]Message, error)  // ascending from seq+1
	Unread(conversation, user string, read int64) (int, error)

	Offset(user string) (int64, error)                             // of the newest event; 0: none yet
	Events(user string, after int64, limit int) ([]Event, error)   // ascending, without a gap between them
	Acked(user string) (int64, error)                              // the highest Ack
	Received(user string, from, upTo int64) ([]Mark, bool, error)  // highest seq per conversation in the events (from, upTo]; false: some are gone from the log
	ReceivedAll(user string, upTo int64) (grown []Mark, err error) // the same from what is not beyond upTo, slower, for a log with a gap
}

// Tx reads and writes.
type Tx interface {
	View
	PutUser(User) error
	PutObject(user string, o UserObject) error // a nil value removes
	PutContact(of, user string) error
	RemoveContact(of, user string) error // what was shown stays shown
	PutShown(user, to string) error
	PutConversation(h Head, members []Member) error
	NextSeq(conversation string, at int64) (int64, error)
	PutMessage(m Message, counts Counts) error // new
	ChangeMessage(m Message, counts Counts) error
	PutMarks(conversation, user string, delivered, read int64) error
	PutAck(user string, offset int64) error

	// Written is about how many bytes of disk what was written so far will take.
	Written() int

	// Announce adds an event to the user's log; of names the message it delivers, if any.
	Announce(user string, t EventType, at int64, data []byte, of Mark) error
}

// Counts says for whom a message counts as unread.
type Counts struct {
	Everyone bool     // for everyone but the sender
	Only     []string // if not for everyone, for these users only
}
