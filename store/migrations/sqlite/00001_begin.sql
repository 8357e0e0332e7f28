-- +goose Up

-- Few indices: every one is a page to write, and a page to sync, per message. No column bears a
-- name that SQLite or PostgreSQL reserves. Times are unix ms, minutes unix minutes, both by the
-- database's clock. A place in a feed is pos and tag, see chat.Place. An index by pos is unique,
-- because there is one item at each pos, and because an engine that knows it uses the index.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Nodes that may own calls. What one owns whose until has passed may be taken over.
CREATE TABLE nodes (
  id       TEXT PRIMARY KEY,
  until_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Each opening of the database. A tab that resumes by one that is not here, or by a time after its
-- until, has seen a history that was lost, as when a backup is restored.
CREATE TABLE openings (
  id        TEXT PRIMARY KEY,
  opened_at INTEGER NOT NULL,
  until_at  INTEGER NOT NULL -- it was open until then at least
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL DEFAULT '', -- empty: never seen, known only from what others did
  picture     TEXT NOT NULL DEFAULT '',
  guest       INTEGER NOT NULL DEFAULT 0,
  name_key    TEXT NOT NULL DEFAULT '', -- chat.LookAlikes; empty: a guest, or never seen
  drawn_key   TEXT NOT NULL DEFAULT '',
  last_seen   INTEGER NOT NULL DEFAULT 0,
  valid_after INTEGER NOT NULL DEFAULT 0 -- tokens minted before this are revoked
) STRICT;
CREATE INDEX users_by_name ON users (name_key) WHERE name_key <> '';
CREATE INDEX users_by_drawn_name ON users (drawn_key) WHERE drawn_key <> '';

-- Tokens of sessions that were signed out, by auth.TokenID, until they expire.
CREATE TABLE revoked_tokens (
  user_id  TEXT NOT NULL,
  token    TEXT NOT NULL,
  until_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, token)
) STRICT, WITHOUT ROWID;

-- The head of each user's feed. Its items lie in members, contacts and own_items.
CREATE TABLE user_feeds (
  user_id TEXT PRIMARY KEY,
  pos     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
  user_id TEXT NOT NULL,
  contact TEXT NOT NULL, -- whom the user added, or wrote to in a direct conversation
  gone    INTEGER NOT NULL, -- 0: it is there; else since when not, and kept for tabs that have to learn of it
  pos     INTEGER NOT NULL,
  tag     INTEGER NOT NULL,
  PRIMARY KEY (user_id, contact)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contacts_by_pos ON contacts (user_id, pos);

-- To whom a user has opened a direct conversation, written or called: they see the user's name and
-- picture from then on, contacts or not.
CREATE TABLE shown (
  user_id  TEXT NOT NULL,
  shown_to TEXT NOT NULL,
  PRIMARY KEY (user_id, shown_to)
) STRICT, WITHOUT ROWID;

-- Items of a user's feed that concern nobody else: objects, drafts, settings and the like.
CREATE TABLE own_items (
  user_id    TEXT NOT NULL,
  item_type  TEXT NOT NULL,
  item_name  TEXT NOT NULL, -- within its type
  data       TEXT NOT NULL, -- JSON as tabs get it, also of one that was removed
  removed_at INTEGER NOT NULL, -- 0: it is there; else it is kept for tabs that have to learn of it
  pos        INTEGER NOT NULL,
  tag        INTEGER NOT NULL,
  PRIMARY KEY (user_id, item_type, item_name)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX own_items_by_pos ON own_items (user_id, pos);

-- The head of each conversation's feed. Its items are the settings in it, messages, members and reacted.
CREATE TABLE conversations (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL DEFAULT '',
  pair       TEXT UNIQUE, -- both ids of a direct one, so that there is one per pair
  created_at INTEGER NOT NULL,
  pos        INTEGER NOT NULL,
  own_pos    INTEGER NOT NULL, -- of the settings
  own_tag    INTEGER NOT NULL,
  floor_seq  INTEGER NOT NULL DEFAULT 0,
  floor_pos  INTEGER NOT NULL DEFAULT 0,
  floor_n    INTEGER NOT NULL DEFAULT 0,
  last_seq   INTEGER NOT NULL DEFAULT 0,
  n          INTEGER NOT NULL DEFAULT 0, -- messages so far that count as unread
  minute     INTEGER NOT NULL, -- of the latest change; not finer, so that most messages leave the index alone
  version    INTEGER NOT NULL, -- of the members
  joined     INTEGER NOT NULL  -- how many have joined
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_minute ON conversations (minute, id);

CREATE TABLE members (
  conversation TEXT NOT NULL,
  user_id      TEXT NOT NULL,
  state        TEXT NOT NULL,
  role         TEXT NOT NULL,
  invited_by   TEXT NOT NULL DEFAULT '',
  from_seq     INTEGER NOT NULL DEFAULT 0,
  delivered    INTEGER NOT NULL DEFAULT 0,
  read_seq     INTEGER NOT NULL DEFAULT 0,
  read_n       INTEGER NOT NULL DEFAULT 0,
  own_ahead    INTEGER NOT NULL DEFAULT 0,
  missed       INTEGER NOT NULL DEFAULT 0,
  missed_seq   INTEGER NOT NULL DEFAULT 0,
  muted_until  INTEGER NOT NULL DEFAULT 0, -- unix ms
  archived     INTEGER NOT NULL DEFAULT 0, -- a seq
  favourite    INTEGER NOT NULL DEFAULT 0,
  pos          INTEGER NOT NULL, -- of the member, in the conversation's feed
  tag          INTEGER NOT NULL,
  own_pos      INTEGER NOT NULL, -- of the membership, in the user's feed
  own_tag      INTEGER NOT NULL,
  PRIMARY KEY (conversation, user_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX members_by_user ON members (user_id, own_pos);
CREATE UNIQUE INDEX members_by_pos ON members (conversation, pos);
CREATE INDEX members_invited ON members (user_id) WHERE state = 'invited';

CREATE TABLE messages (
  conversation TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  n            INTEGER NOT NULL,
  counts       INTEGER NOT NULL, -- whether it is one of those that n counts
  pos          INTEGER NOT NULL,
  tag          INTEGER NOT NULL,
  sender       TEXT NOT NULL,
  client_id    TEXT NOT NULL, -- empty: of the server
  kind         TEXT NOT NULL,
  content      TEXT NOT NULL,
  data         TEXT, -- JSON
  reply_to     INTEGER NOT NULL, -- a seq; 0: none
  mentions     TEXT, -- JSON
  forwarded    INTEGER NOT NULL,
  edited_at    INTEGER NOT NULL,
  gone         TEXT NOT NULL, -- why there is nothing to be seen of it; empty: it is there
  preview      TEXT, -- JSON
  preview_picture TEXT, -- the key in it
  revision     INTEGER NOT NULL,
  sent_at      INTEGER NOT NULL,
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
-- Of those that were changed; the others are found by seq.
CREATE UNIQUE INDEX messages_by_pos ON messages (conversation, pos) WHERE revision > 0;
-- Few messages have one, and it costs the others nothing.
CREATE INDEX messages_by_picture ON messages (preview_picture) WHERE preview_picture IS NOT NULL;

-- What was found behind links, for a day.
CREATE TABLE previews (
  link    TEXT PRIMARY KEY, -- a digest
  preview TEXT NOT NULL, -- JSON; without a site: there is nothing to show
  made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures of previews, as long as a message shows them.
CREATE TABLE preview_pictures (
  id      TEXT PRIMARY KEY,
  jpeg    BLOB NOT NULL,
  made_at INTEGER NOT NULL
) STRICT;

-- Who reacted to a message, and with what.
CREATE TABLE reactions (
  conversation TEXT NOT NULL,
  seq          INTEGER NOT NULL, -- of the message
  emoji        TEXT NOT NULL,
  user_id      TEXT NOT NULL,
  reacted_at   INTEGER NOT NULL,
  PRIMARY KEY (conversation, seq, emoji, user_id)
) STRICT, WITHOUT ROWID;

-- Of each message that anyone has reacted to, how often: an item of the conversation's feed.
CREATE TABLE reacted (
  conversation TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  counts       TEXT NOT NULL, -- JSON, by emoji
  pos          INTEGER NOT NULL,
  tag          INTEGER NOT NULL,
  PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reacted_by_pos ON reacted (conversation, pos);

-- Which client ids became which messages. It is apart from messages because its rows outlive
-- those by design: what is sent again after its message was removed must not become another.
CREATE TABLE sent (
  sender       TEXT NOT NULL,
  client_id    TEXT NOT NULL,
  conversation TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  sent_at      INTEGER NOT NULL,
  PRIMARY KEY (sender, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
  id             TEXT PRIMARY KEY,
  client_call_id TEXT NOT NULL,
  conversation   TEXT NOT NULL,
  caller         TEXT NOT NULL,
  node           TEXT NOT NULL, -- which owns it
  epoch          INTEGER NOT NULL,
  cseq           INTEGER NOT NULL,
  direct         INTEGER NOT NULL,
  live           INTEGER NOT NULL,
  state          TEXT NOT NULL, -- JSON of the machine
  log            TEXT NOT NULL, -- JSON of its message in the conversation
  seq            INTEGER NOT NULL, -- of that message
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX calls_once ON calls (caller, client_call_id);
CREATE UNIQUE INDEX calls_one_live ON calls (conversation) WHERE live = 1 AND direct = 1;
CREATE INDEX calls_live ON calls (created_at) WHERE live = 1;

CREATE TABLE live_calls (
  call_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (call_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX live_calls_by_user ON live_calls (user_id);

-- What is known of each file that somebody uploads. Its content lies elsewhere, see package files.
CREATE TABLE files (
  id          TEXT PRIMARY KEY,
  owner       TEXT NOT NULL,
  guest       INTEGER NOT NULL, -- whether the owner was one
  state       TEXT NOT NULL,
  file_name   TEXT NOT NULL,
  media_type  TEXT NOT NULL,
  bytes       INTEGER NOT NULL,
  width       INTEGER NOT NULL,
  height      INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  claimed     INTEGER NOT NULL, -- whether the owner says so
  waveform    TEXT NOT NULL, -- base64
  thumbnail   TEXT NOT NULL, -- its type; empty: none
  created_at  INTEGER NOT NULL,
  collect_at  INTEGER NOT NULL  -- when it may be removed; 0: a message has it
) STRICT, WITHOUT ROWID;
CREATE INDEX files_to_collect ON files (collect_at) WHERE collect_at > 0;

-- Which messages have which files.
CREATE TABLE file_uses (
  conversation TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  file_id      TEXT NOT NULL,
  PRIMARY KEY (conversation, seq, file_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_uses_by_file ON file_uses (file_id, conversation, seq);

-- How many bytes of files each user has, and all of them together.
CREATE TABLE file_usage (
  owner TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
