// Package files takes the files that people send, and gives them to those who may have them.
//
// A file is uploaded over HTTP with the tus protocol (https://tus.io), so that it can be
// interrupted and gone on with. When its last byte has come its type is found by its content, an
// image loses what it tells of where and with what it was taken, and it is kept under a random id.
// A message names files by their ids; from then on a member who may see the message may have them.
//
//	POST, PATCH, HEAD, DELETE /files/ID   the owner's token   upload.go ─ finish.go ─ folder.go or bucket.go
//	GET, HEAD /files/ID?user&until&sig    a signed address    fetch.go ─ still a member? ─ the same
//
// A row of the database says what a file is, and what is to become of it (see [File]). The content
// lies beside it, on a disk or in a bucket, and is removed by the janitor alone.
package files

import (
	"context"

	"carillon/refusal"
)

// State is where a file is in its life.
type State string

const (
	// Uploading: not all bytes have come, or they were not looked at yet. It ends when they were, or
	// when the owner cancels it or lets it stand still for too long.
	Uploading State = "uploading"
	// Finished: it can be named by messages and fetched. It ends when no message has it (any more).
	Finished State = "finished"
	// Removed: nobody can have it, and its content is about to be deleted, then its row.
	Removed State = "removed"
)

// File is what the database knows of a file.
type File struct {
	ID    string // random; content is kept under it
	Owner string // the user who uploads it
	Guest bool   // who was a guest
	State State
	Name  string // as its owner calls it, cleaned; see cleanName
	Type  string // by its content; empty while it is uploaded
	Bytes int64

	Width, Height int    // as shown; 0: it has none, or they are unknown
	DurationMS    int64  // of sound or video; 0: unknown
	Claimed       bool   // what is above about sound or video is what the owner says of it
	Waveform      []byte // loudness of a voice note as its owner draws it, at most MaxWaveform
	Thumbnail     string // type of its thumbnail; empty: it has none

	CreatedAt int64 // unix ms
	CollectAt int64 // unix ms, after which the janitor may remove it; 0: it is in a message
}

// MaxWaveform is how many bytes a waveform has at most.
const MaxWaveform = 64

// Store keeps rows of files. Package store implements it.
type Store interface {
	// WriteFiles runs f in a transaction, perhaps again from the start. What it returned nil for is on disk.
	WriteFiles(ctx context.Context, f func(Tx) error) error
	ReadFiles(ctx context.Context, f func(View) error) error
}

// View reads rows of files. A bool result reports whether there is such a thing.
type View interface {
	Now() (int64, error) // the database's clock, unix ms
	File(id string) (File, bool, error)
	Collectable(limit int) ([]File, error) // those whose CollectAt has passed, the earliest first
}

// Tx changes rows of files.
type Tx interface {
	View

	// LockFile is File for a row that nobody else changes before the commit.
	LockFile(id string) (File, bool, error)
	PutFile(f File) error // new, or changed
	DeleteFile(id string) error

	// AddUsage adds to how many bytes someone has, and returns how many these are. Someone is a
	// user, or one of the two kinds of them.
	AddUsage(someone string, bytes int64) (int64, error)
}

// Of whom usage is counted together. No user's id has a space in it.
const (
	allUsers  = "all users"
	allGuests = "all guests"
)

func (f File) kindOfOwner() string {
	if f.Guest {
		return allGuests
	}
	return allUsers
}

// blockBytes is what a small file counts as: about what it takes on a disk, with its row.
const blockBytes = 4096

func (f File) cost() int64 { return max(f.Bytes, blockBytes) }

// charge counts that a file of so many bytes has become what f is.
func charge(tx Tx, f File, was int64) (own, all int64, err error) {
	if own, err = tx.AddUsage(f.Owner, f.cost()-was); err != nil {
		return 0, 0, err
	}
	all, err = tx.AddUsage(f.kindOfOwner(), f.cost()-was)
	return own, all, err
}

var errNoFile = refusal.New(refusal.NotFound, "There is no such file, or none that you may have.")
