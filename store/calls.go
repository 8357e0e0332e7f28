package store

import (
	"context"
	"encoding/json"
	"fmt"

	"carillon/call"
	"carillon/chat"
	"carillon/refusal"
	"carillon/switchboard"
)

var _ switchboard.Store = (*Store)(nil)

// CreateCall inserts the call unless another one stands in its way, see inTheWay.
func (s *Store) CreateCall(ctx context.Context, r call.Record) (winner call.Record, created bool, err error) {
	err = s.write(ctx, func(tx *tx) error {
		if _, err := chat.Access(tx, r.Conversation, r.Caller); err != nil {
			return err
		}
		first, found, err := tx.inTheWay(r)
		if err != nil || found {
			winner = first
			return err
		}
		m, err := chat.Append(tx, chat.Message{Conversation: r.Conversation, Sender: r.Caller, Kind: chat.Call, SentAt: r.CreatedAt,
			Data: encode(r.Log)}, unreadBy(r))
		if err != nil {
			return err
		}
		if err := tx.insertCall(r, m.Seq); err != nil {
			return err
		}
		winner, created = r, true
		return tx.announceCall(r)
	})
	if err != nil {
		return call.Record{}, false, err
	}
	return winner, created, nil
}

// SaveCall replaces what is stored, if r has the stored epoch.
func (s *Store) SaveCall(ctx context.Context, r call.Record) error {
	return s.write(ctx, func(tx *tx) error {
		var seq int64
		var log []byte
		ok, err := found(tx.row(`SELECT seq, log FROM calls WHERE id = ? AND epoch = ?`, r.ID, r.Epoch).Scan(&seq, &log))
		if err != nil {
			return err
		}
		if !ok {
			return switchboard.ErrFenced
		}
		if _, err := tx.exec(`UPDATE calls SET owner = ?, live = ?, users = ?, snapshot = ?, state = ?, log = ?, updated_at = ? WHERE id = ?`,
			r.Owner, r.Live(), string(encode(r.Users)), string(encode(r.Snapshot)), notNil(r.State), string(encode(r.Log)), r.UpdatedAt, r.ID); err != nil {
			return err
		}
		if err := tx.putLive(r); err != nil {
			return err
		}
		if err := tx.announceCall(r); err != nil || string(log) == string(encode(r.Log)) {
			return err
		}
		m, ok, err := tx.Message(r.Conversation, seq)
		if err != nil || !ok {
			return err
		}
		m.Data = encode(r.Log)
		_, err = chat.Revise(tx, m, unreadBy(r), r.UpdatedAt)
		return err
	})
}

// ClaimCall compares the epoch of a live call and makes owner its owner under the next one.
func (s *Store) ClaimCall(ctx context.Context, id, owner string, epoch int64) (call.Record, error) {
	var r call.Record
	err := s.write(ctx, func(tx *tx) error {
		n, err := tx.exec("UPDATE calls SET owner = ?, epoch = epoch + 1 WHERE id = ? AND epoch = ? AND live = 1", owner, id, epoch)
		if err != nil {
			return err
		}
		if n == 0 {
			return switchboard.ErrFenced
		}
		r, err = scanCall(tx.row("SELECT "+callColumns+" FROM calls c WHERE c.id = ?", id))
		return err
	})
	if err != nil {
		return call.Record{}, err
	}
	return r, nil
}

// Call returns a call by id.
func (s *Store) Call(ctx context.Context, id string) (call.Record, error) {
	var r call.Record
	err := s.read(ctx, func(v *view) (err error) {
		r, err = scanCall(v.row("SELECT "+callColumns+" FROM calls c WHERE c.id = ?", id))
		ok, err := found(err)
		if err == nil && !ok {
			err = refusal.New(refusal.NotFound, "There is no such call.")
		}
		return err
	})
	return r, err
}

// LiveCalls returns the calls that have not ended and have user as a participant.
func (s *Store) LiveCalls(ctx context.Context, user string) ([]call.Record, error) {
	return s.calls(ctx, "SELECT "+callColumns+" FROM live_calls l JOIN calls c ON c.id = l.call WHERE l.user = ? ORDER BY c.created_at", user)
}

// AllLive returns the calls that have not ended.
func (s *Store) AllLive(ctx context.Context) ([]call.Record, error) {
	return s.calls(ctx, "SELECT "+callColumns+" FROM calls c WHERE c.live = 1 ORDER BY c.created_at")
}

func (s *Store) calls(ctx context.Context, query string, args ...any) ([]call.Record, error) {
	var list []call.Record
	err := s.read(ctx, func(v *view) (err error) {
		list, err = collect(v.conn, scanCall, query, args...)
		return err
	})
	return list, err
}

// inTheWay finds the call that r must not be made beside: the one that the same start has
// made already, even if it has ended, or the live one of the same direct conversation.
func (tx *tx) inTheWay(r call.Record) (call.Record, bool, error) {
	first, err := scanCall(tx.row("SELECT "+callColumns+" FROM calls c WHERE c.caller = ? AND c.client_call_id = ?", r.Caller, r.ClientCallID))
	if ok, err := found(err); err != nil || ok || !r.Direct {
		return first, ok, err
	}
	live, err := scanCall(tx.row("SELECT "+callColumns+" FROM calls c WHERE c.conversation = ? AND c.live = 1 AND c.direct = 1", r.Conversation))
	ok, err := found(err)
	return live, ok, err
}

func (tx *tx) insertCall(r call.Record, seq int64) error {
	_, err := tx.exec(`INSERT INTO calls (id, client_call_id, conversation, caller, owner, epoch, direct, live, users, snapshot, state, log, seq, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.ClientCallID, r.Conversation, r.Caller, r.Owner, r.Epoch, r.Direct, r.Live(), string(encode(r.Users)), string(encode(r.Snapshot)),
		notNil(r.State), string(encode(r.Log)), seq, r.CreatedAt, r.UpdatedAt)
	if err != nil {
		return err
	}
	return tx.putLive(r)
}

// putLive keeps the table of who takes part in which live call.
func (tx *tx) putLive(r call.Record) error {
	for _, user := range r.Users {
		query := "DELETE FROM live_calls WHERE user = ? AND call = ?"
		if r.Live() {
			query = "INSERT INTO live_calls (user, call) VALUES (?, ?) ON CONFLICT DO NOTHING"
		}
		if _, err := tx.exec(query, user, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// announceCall adds the call's event to each participant's log, as they may see it. Its time is
// when the snapshot was made, because the times in the snapshot count from then.
func (tx *tx) announceCall(r call.Record) error {
	for _, user := range r.Users {
		if err := tx.Announce(user, chat.EventCall, r.UpdatedAt, encode(r.Snapshot.For(user)), chat.Mark{}); err != nil {
			return err
		}
	}
	return nil
}

// unreadBy says for whom the call's message counts as unread.
func unreadBy(r call.Record) chat.Counts { return chat.Counts{Only: r.Log.Missed()} }

const callColumns = "c.id, c.client_call_id, c.conversation, c.caller, c.owner, c.epoch, c.direct, c.users, c.snapshot, c.state, c.log, c.created_at, c.updated_at"

func scanCall(row scanner) (r call.Record, err error) {
	var users, snapshot, log []byte
	if err := row.Scan(&r.ID, &r.ClientCallID, &r.Conversation, &r.Caller, &r.Owner, &r.Epoch, &r.Direct, &users, &snapshot, &r.State, &log,
		&r.CreatedAt, &r.UpdatedAt); err != nil {
		return r, err
	}
	for _, part := range []struct {
		data []byte
		into any
	}{{users, &r.Users}, {snapshot, &r.Snapshot}, {log, &r.Log}} {
		if err := json.Unmarshal(part.data, part.into); err != nil {
			return r, fmt.Errorf("decode call %s: %w", r.ID, err)
		}
	}
	return r, nil
}

// encode is for our own plain types, which can always be encoded.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encode %T: %v", v, err))
	}
	return data
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
