package chat

import (
	"context"
	"slices"

	"carillon/files"
	"carillon/refusal"
)

// Files is what a transaction knows of files and of the messages that have them. Package files takes
// and keeps them; which message has which is part of the message, and so of its transaction.
//
// Who sends a message with a file calls [Attach] before the message is stored and PutFileUses when
// it has its seq. Who forwards one puts the uses that FilesOf returns of the first, and copies its
// data; who recalls one calls RemoveFileUses. Retention does so by itself.
type Files interface {
	// FinishedFiles returns those of ids of which all bytes have come, by id, and keeps them from being
	// removed until the commit.
	FinishedFiles(ids []string) ([]files.File, error)
	// PutFileUses notes that a message has files. They stay as long as one has them.
	PutFileUses(conversation string, seq int64, ids []string) error
	// RemoveFileUses takes their files from all messages of a conversation from one seq to another.
	RemoveFileUses(conversation string, from, to int64) error
}

// FileUse is a conversation in which a message has a file, and how a user takes part in it.
type FileUse struct {
	File         string
	Conversation string
	Seq          int64 // of the newest message that has it
	State        MemberState
	FromSeq      int64
}

// visible reports whether the user may see the message.
func (u FileUse) visible() bool { return u.State == Joined && u.Seq >= u.FromSeq }

// FileData is the data of a message that has a file. The server fills it in from the file itself,
// whatever the client has sent.
type FileData struct {
	File       string `json:"file"` // for file.urls
	Name       string `json:"name"`
	Type       string `json:"type"` // by its content
	Bytes      int64  `json:"bytes"`
	Width      int    `json:"width,omitempty"` // as shown
	Height     int    `json:"height,omitempty"`
	DurationMS int64  `json:"duration_ms,omitempty"`
	Claimed    bool   `json:"claimed,omitempty"`  // the sender says how long or large it is, and nobody has looked
	Waveform   []int  `json:"waveform,omitempty"` // at most 64 from 0 to 255
	Thumbnail  bool   `json:"thumbnail,omitempty"`
}

var errNoFile = refusal.New(refusal.NotFound, "There is no such file of yours, or its upload is not finished.")

// Attach returns the data of a message of sender that names a file. It must be the sender's own, so
// that nobody comes by a file of others by its id.
func Attach(tx Tx, sender, id string) (FileData, error) {
	found, err := tx.FinishedFiles([]string{id})
	if err == nil && (len(found) == 0 || found[0].Owner != sender) {
		err = errNoFile
	}
	if err != nil {
		return FileData{}, err
	}
	f := found[0]
	d := FileData{
		File: f.ID, Name: f.Name, Type: f.Type, Bytes: f.Bytes, Width: f.Width, Height: f.Height,
		DurationMS: f.DurationMS, Claimed: f.Claimed, Thumbnail: f.Thumbnail != "",
	}
	for _, loud := range f.Waveform {
		d.Waveform = append(d.Waveform, int(loud))
	}
	return d, nil
}

// SeesFiles returns those of ids that are in a message which user may see, as far as the token of who
// asks goes. It is asked each time that somebody fetches a file, so a removal ends it at once.
func (s *Service) SeesFiles(ctx context.Context, user string, ids []string) (seen []string, err error) {
	err = s.store.Read(ctx, func(v View) error {
		seen = nil
		uses, err := v.FileUses(user, ids)
		for _, u := range uses {
			if u.visible() && s.covers(u.Conversation) && !slices.Contains(seen, u.File) {
				seen = append(seen, u.File)
			}
		}
		return err
	})
	return seen, err
}
