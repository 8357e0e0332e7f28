package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"carillon/auth"
)

// Revoked returns what is revoked of those users who have revoked something.
func (s *Store) Revoked(ctx context.Context, users []string) (map[string]auth.Revoked, error) {
	revoked := map[string]auth.Revoked{}
	scan := func(row scanner) error {
		var user string
		var until int64
		var token auth.TokenID
		err := row.Scan(&user, &until, &token)
		one := revoked[user]
		if token != "" {
			one.Tokens = append(one.Tokens, token)
		} else {
			one.Until = time.UnixMilli(until)
		}
		revoked[user] = one
		return err
	}
	err := s.read(ctx, func(v *view) error {
		clear(revoked)
		return v.each(scan, "WITH l AS (SELECT value AS user_id FROM "+v.sql.texts+` texts)
			SELECT u.id, u.valid_after, '' FROM l CROSS JOIN users u WHERE u.id = l.user_id AND u.valid_after > 0
			UNION ALL
			SELECT r.user_id, 0, r.token FROM l CROSS JOIN revoked_tokens r WHERE r.user_id = l.user_id`, list(users))
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// RevokeAll makes all tokens of user void that were issued until t. It never goes back.
func (s *Store) RevokeAll(ctx context.Context, user string, t time.Time) error {
	return s.write(ctx, "", func(tx *tx) error {
		return tx.put(`INSERT INTO users (id, valid_after) VALUES (?, ?) ON CONFLICT (id) DO UPDATE
			SET valid_after = CASE WHEN users.valid_after > excluded.valid_after THEN users.valid_after ELSE excluded.valid_after END`, user, t.UnixMilli())
	})
}

// RevokeTokens makes some tokens of user void, each of which expires at some time, and forgets those
// of the user that have expired.
func (s *Store) RevokeTokens(ctx context.Context, user string, tokens map[auth.TokenID]time.Time) error {
	return s.write(ctx, "", func(tx *tx) error {
		if err := tx.put("DELETE FROM revoked_tokens WHERE user_id = ? AND until_at < ?", user, tx.now-expiredKept.Milliseconds()); err != nil {
			return err
		}
		rows := make([][]any, 0, len(tokens))
		for _, token := range slices.Sorted(maps.Keys(tokens)) {
			rows = append(rows, []any{token, tokens[token].UnixMilli()})
		}
		return tx.putRows(len(rows), `INSERT INTO revoked_tokens (user_id, token, until_at) SELECT ?, value->>0, CAST(value->>1 AS BIGINT) FROM `+tx.sql.rows+` WHERE true
			ON CONFLICT (user_id, token) DO NOTHING`, user, list(rows))
	})
}

// expiredKept is longer than a token is good after it has expired: a guest is renewed by one that
// expired less than auth.guest_token_seconds ago.
const expiredKept = 400 * 24 * time.Hour
