package store

import (
	"bytes"
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
	err = s.write(ctx, r.Conversation, func(tx *tx) error {
		winner, created = r, false
		if err := tx.Lock([]string{r.Conversation}, nil); err != nil {
			return err
		}
		if _, err := chat.Access(tx, r.Conversation, r.Caller); err != nil {
			return err
		}
		first, found, err := tx.inTheWay(r)
		if err != nil || found {
			winner = first
			return err
		}
		m, _, err := chat.Append(tx, chat.Message{
			Conversation: r.Conversation, Sender: r.Caller, Kind: chat.Call, SentAt: r.CreatedAt, Data: encode(r.Log),
		})
		if err != nil {
			return err
		}
		created = true
		return tx.insertCall(r, m.Seq)
	})
	if err != nil {
		return call.Record{}, false, err
	}
	return winner, created, nil
}

// SaveCall replaces what is stored, if r has the stored epoch.
func (s *Store) SaveCall(ctx context.Context, r call.Record) error {
	return s.write(ctx, r.Conversation, func(tx *tx) error {
		var seq int64
		var log []byte
		ok, err := found(tx.row("SELECT seq, log FROM calls WHERE id = ? AND epoch = ?", r.ID, r.Epoch).Scan(&seq, &log))
		if err != nil {
			return err
		}
		if !ok {
			return switchboard.ErrFenced
		}
		revised := !bytes.Equal(log, encode(r.Log))
		if revised {
			if err := tx.Lock([]string{r.Conversation}, r.Log.Missed()); err != nil {
				return err
			}
		}
		n, err := tx.exec("UPDATE calls SET node = ?, cseq = ?, live = ?, state = ?, log = ?, updated_at = ? WHERE id = ? AND epoch = ?",
			r.Owner, r.CSeq, r.Live(), string(r.State), string(encode(r.Log)), r.UpdatedAt, r.ID, r.Epoch)
		if err != nil {
			return err
		}
		if n == 0 {
			return switchboard.ErrFenced
		}
		if !r.Live() {
			if err := tx.put("DELETE FROM live_calls WHERE call_id = ?", r.ID); err != nil {
				return err
			}
		}
		if !revised {
			return nil
		}
		m, _, ok, err := tx.Message(r.Conversation, seq)
		if err != nil || !ok {
			return err // its message was removed by retention
		}
		m.Data = encode(r.Log)
		_, _, err = chat.Revise(tx, m, r.Log.Missed())
		return err
	})
}

// ClaimCall compares the epoch of a live call and makes owner its owner under the next one.
func (s *Store) ClaimCall(ctx context.Context, id, owner string, epoch int64) (call.Record, error) {
	var r call.Record
	err := s.write(ctx, "", func(tx *tx) error {
		n, err := tx.exec("UPDATE calls SET node = ?, epoch = epoch + 1 WHERE id = ? AND epoch = ? AND live = 1", owner, id, epoch)
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
	var list []call.Record
	err := s.read(ctx, func(v *view) (err error) {
		list, err = collect(v.conn, scanCall, "SELECT "+callColumns+` FROM live_calls l JOIN calls c ON c.id = l.call_id
			WHERE l.user_id = ? ORDER BY c.created_at`, user)
		return err
	})
	return list, err
}

// AllLive returns the calls that have not ended.
func (s *Store) AllLive(ctx context.Context) ([]call.Live, error) {
	var all []call.Live
	scan := func(row scanner) (one call.Live, err error) {
		one.Users = make([]string, 1)
		err = row.Scan(&one.ID, &one.Owner, &one.Epoch, &one.CSeq, &one.Users[0])
		return one, err
	}
	err := s.read(ctx, func(v *view) error {
		rows, err := collect(v.conn, scan, `SELECT c.id, c.node, c.epoch, c.cseq, l.user_id FROM calls c JOIN live_calls l ON l.call_id = c.id
			WHERE c.live = 1 ORDER BY c.created_at, c.id`)
		for _, r := range rows {
			if n := len(all); n > 0 && all[n-1].ID == r.ID {
				all[n-1].Users = append(all[n-1].Users, r.Users[0])
			} else {
				all = append(all, r)
			}
		}
		return err
	})
	return all, err
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
	err := tx.put(`INSERT INTO calls (id, client_call_id, conversation, caller, node, epoch, cseq, direct, live, state, log, seq, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.ClientCallID, r.Conversation, r.Caller, r.Owner, r.Epoch, r.CSeq, r.Direct, r.Live(), string(r.State), string(encode(r.Log)), seq,
		r.CreatedAt, r.UpdatedAt)
	if err != nil {
		return err
	}
	for _, user := range r.Users() {
		if err := tx.put("INSERT INTO live_calls (call_id, user_id) VALUES (?, ?)", r.ID, user); err != nil {
			return err
		}
	}
	return nil
}

const callColumns = "c.id, c.client_call_id, c.conversation, c.caller, c.node, c.epoch, c.cseq, c.direct, c.state, c.log, c.created_at, c.updated_at"

func scanCall(row scanner) (r call.Record, err error) {
	var log []byte
	if err := row.Scan(&r.ID, &r.ClientCallID, &r.Conversation, &r.Caller, &r.Owner, &r.Epoch, &r.CSeq, &r.Direct, &r.State, &log,
		&r.CreatedAt, &r.UpdatedAt); err != nil {
		return r, err
	}
	if err := json.Unmarshal(log, &r.Log); err != nil {
		return r, fmt.Errorf("decode call %s: %w", r.ID, err)
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
