-- +goose Up

-- Few indices: every one is a page to write, and a page to sync, per message.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL DEFAULT '', -- empty: never seen, known only from what others did
  picture     TEXT NOT NULL DEFAULT '',
  guest       INTEGER NOT NULL DEFAULT 0,
  valid_after INTEGER NOT NULL DEFAULT 0 -- tokens minted before this are revoked; unix ms
) STRICT;

CREATE TABLE objects (
  user  TEXT NOT NULL,
  key   TEXT NOT NULL,
  value TEXT NOT NULL,
  tab   TEXT NOT NULL,
  PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

-- The newest event of a user is never removed: the next offset is counted from it.
CREATE TABLE events (
  user         TEXT NOT NULL,
  offset       INTEGER NOT NULL,
  type         TEXT NOT NULL,
  at           INTEGER NOT NULL,
  conversation TEXT,    -- of the message that this event delivers
  seq          INTEGER,
  data         BLOB NOT NULL,
  PRIMARY KEY (user, offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE acks (
  user   TEXT PRIMARY KEY,
  offset INTEGER NOT NULL -- the highest that a device of the user has stored
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL DEFAULT '',
  pair       TEXT UNIQUE, -- both ids of a direct one, so that there is one per pair
  last_seq   INTEGER NOT NULL DEFAULT 0,
  last_at    INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE members (
  conversation TEXT NOT NULL,
  user         TEXT NOT NULL,
  role         TEXT NOT NULL,
  delivered    INTEGER NOT NULL DEFAULT 0,
  read         INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (conversation, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user);

CREATE TABLE messages (
  conversation TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  sender       TEXT NOT NULL,
  client_id    TEXT,
  kind         TEXT NOT NULL,
  text         TEXT NOT NULL,
  data         BLOB,
  revision     INTEGER NOT NULL,
  sent_at      INTEGER NOT NULL,
  counts       TEXT, -- for whom it is unread: NULL is everyone but the sender, else \nuser\nuser\n
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_once ON messages (sender, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE calls (
  id             TEXT PRIMARY KEY,
  client_call_id TEXT NOT NULL,
  conversation   TEXT NOT NULL,
  caller         TEXT NOT NULL,
  owner          TEXT NOT NULL,
  epoch          INTEGER NOT NULL,
  direct         INTEGER NOT NULL,
  live           INTEGER NOT NULL,
  users          TEXT NOT NULL, -- JSON
  snapshot       TEXT NOT NULL, -- JSON
  state          BLOB NOT NULL, -- JSON of the machine
  log            TEXT NOT NULL, -- JSON
  seq            INTEGER NOT NULL, -- of its message in the conversation
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX calls_once ON calls (caller, client_call_id);
CREATE UNIQUE INDEX calls_one_live ON calls (conversation) WHERE live = 1 AND direct = 1;
CREATE INDEX calls_live ON calls (created_at) WHERE live = 1;

CREATE TABLE live_calls (
  user TEXT NOT NULL,
  call TEXT NOT NULL,
  PRIMARY KEY (user, call)
) STRICT, WITHOUT ROWID;
