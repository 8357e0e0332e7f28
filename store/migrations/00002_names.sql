-- +goose Up

-- By name_key guests are kept from taking the name of a user. It is as chat compares names;
-- those of users from before differ in letters beyond ASCII until they change their name.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT ''; -- empty: a guest, or never seen
UPDATE users SET name_key = lower(name) WHERE guest = 0;
CREATE INDEX users_by_name ON users (name_key) WHERE name_key <> '';
