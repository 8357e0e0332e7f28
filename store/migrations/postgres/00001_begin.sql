-- +goose Up

-- Few indices: every one is a page to write, and a page to sync, per message. No column bears a
-- name that SQLite or PostgreSQL reserves. Times are unix ms, minutes unix minutes, both by the
-- database's clock. A place in a feed is pos and tag, see chat.Place. An index by pos is unique,
-- because there is one item at each pos, and because an engine that knows it uses the index.

CREATE TABLE meta (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);

-- Nodes that may own calls. What one owns whose until has passed may be taken over.
CREATE TABLE nodes (
  id       TEXT COLLATE "C" PRIMARY KEY,
  until_at BIGINT NOT NULL
);

-- Each opening of the database. A tab that resumes by one that is not here, or by a time after its
-- until, has seen a history that was lost, as when a backup is restored.
CREATE TABLE openings (
  id        TEXT COLLATE "C" PRIMARY KEY,
  opened_at BIGINT NOT NULL,
  until_at  BIGINT NOT NULL -- it was open until then at least
);

CREATE TABLE users (
  id          TEXT COLLATE "C" PRIMARY KEY,
  name        TEXT COLLATE "C" NOT NULL DEFAULT '', -- empty: never seen, known only from what others did
  picture     TEXT COLLATE "C" NOT NULL DEFAULT '',
  guest       BIGINT NOT NULL DEFAULT 0,
  name_key    TEXT COLLATE "C" NOT NULL DEFAULT '', -- chat.LookAlikes; empty: a guest, or never seen
  drawn_key   TEXT COLLATE "C" NOT NULL DEFAULT '',
  last_seen   BIGINT NOT NULL DEFAULT 0,
  valid_after BIGINT NOT NULL DEFAULT 0 -- tokens minted before this are revoked
);
CREATE INDEX users_by_name ON users (name_key) WHERE name_key <> '';
CREATE INDEX users_by_drawn_name ON users (drawn_key) WHERE drawn_key <> '';

-- Tokens of sessions that were signed out, by auth.TokenID, until they expire.
CREATE TABLE revoked_tokens (
  user_id  TEXT COLLATE "C" NOT NULL,
  token    TEXT COLLATE "C" NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, token)
);

-- The head of each user's feed. Its items lie in members, contacts and own_items.
CREATE TABLE user_feeds (
  user_id TEXT COLLATE "C" PRIMARY KEY,
  pos     BIGINT NOT NULL
);

CREATE TABLE contacts (
  user_id TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL, -- whom the user added, or wrote to in a direct conversation
  gone    BIGINT NOT NULL, -- 0: it is there; else since when not, and kept for tabs that have to learn of it
  pos     BIGINT NOT NULL,
  tag     BIGINT NOT NULL,
  PRIMARY KEY (user_id, contact)
);
CREATE UNIQUE INDEX contacts_by_pos ON contacts (user_id, pos);

-- To whom a user has opened a direct conversation, written or called: they see the user's name and
-- picture from then on, contacts or not.
CREATE TABLE shown (
  user_id  TEXT COLLATE "C" NOT NULL,
  shown_to TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, shown_to)
);

-- Items of a user's feed that concern nobody else: objects, drafts, settings and the like.
CREATE TABLE own_items (
  user_id    TEXT COLLATE "C" NOT NULL,
  item_type  TEXT COLLATE "C" NOT NULL,
  item_name  TEXT COLLATE "C" NOT NULL, -- within its type
  data       TEXT COLLATE "C" NOT NULL, -- JSON as tabs get it, also of one that was removed
  removed_at BIGINT NOT NULL, -- 0: it is there; else it is kept for tabs that have to learn of it
  pos        BIGINT NOT NULL,
  tag        BIGINT NOT NULL,
  PRIMARY KEY (user_id, item_type, item_name)
);
CREATE UNIQUE INDEX own_items_by_pos ON own_items (user_id, pos);

-- The head of each conversation's feed. Its items are the settings in it, messages, members and reacted.
CREATE TABLE conversations (
  id         TEXT COLLATE "C" PRIMARY KEY,
  kind       TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL DEFAULT '',
  pair       TEXT COLLATE "C" UNIQUE, -- both ids of a direct one, so that there is one per pair
  created_at BIGINT NOT NULL,
  pos        BIGINT NOT NULL,
  own_pos    BIGINT NOT NULL, -- of the settings
  own_tag    BIGINT NOT NULL,
  floor_seq  BIGINT NOT NULL DEFAULT 0,
  floor_pos  BIGINT NOT NULL DEFAULT 0,
  floor_n    BIGINT NOT NULL DEFAULT 0,
  last_seq   BIGINT NOT NULL DEFAULT 0,
  n          BIGINT NOT NULL DEFAULT 0, -- messages so far that count as unread
  minute     BIGINT NOT NULL, -- of the latest change; not finer, so that most messages leave the index alone
  version    BIGINT NOT NULL, -- of the members
  joined     BIGINT NOT NULL  -- how many have joined
);
CREATE INDEX conversations_by_minute ON conversations (minute, id);

CREATE TABLE members (
  conversation TEXT COLLATE "C" NOT NULL,
  user_id      TEXT COLLATE "C" NOT NULL,
  state        TEXT COLLATE "C" NOT NULL,
  role         TEXT COLLATE "C" NOT NULL,
  invited_by   TEXT COLLATE "C" NOT NULL DEFAULT '',
  from_seq     BIGINT NOT NULL DEFAULT 0,
  delivered    BIGINT NOT NULL DEFAULT 0,
  read_seq     BIGINT NOT NULL DEFAULT 0,
  read_n       BIGINT NOT NULL DEFAULT 0,
  own_ahead    BIGINT NOT NULL DEFAULT 0,
  missed       BIGINT NOT NULL DEFAULT 0,
  missed_seq   BIGINT NOT NULL DEFAULT 0,
  muted_until  BIGINT NOT NULL DEFAULT 0, -- unix ms
  archived     BIGINT NOT NULL DEFAULT 0, -- a seq
  favourite    BIGINT NOT NULL DEFAULT 0,
  pos          BIGINT NOT NULL, -- of the member, in the conversation's feed
  tag          BIGINT NOT NULL,
  own_pos      BIGINT NOT NULL, -- of the membership, in the user's feed
  own_tag      BIGINT NOT NULL,
  PRIMARY KEY (conversation, user_id)
);
CREATE UNIQUE INDEX members_by_user ON members (user_id, own_pos);
CREATE UNIQUE INDEX members_by_pos ON members (conversation, pos);
CREATE INDEX members_invited ON members (user_id) WHERE state = 'invited';

CREATE TABLE messages (
  conversation TEXT COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL,
  n            BIGINT NOT NULL,
  counts       BIGINT NOT NULL, -- whether it is one of those that n counts
  pos          BIGINT NOT NULL,
  tag          BIGINT NOT NULL,
  sender       TEXT COLLATE "C" NOT NULL,
  client_id    TEXT COLLATE "C" NOT NULL, -- empty: of the server
  kind         TEXT COLLATE "C" NOT NULL,
  content      TEXT COLLATE "C" NOT NULL,
  data         TEXT COLLATE "C", -- JSON
  reply_to     BIGINT NOT NULL, -- a seq; 0: none
  mentions     TEXT COLLATE "C", -- JSON
  forwarded    BIGINT NOT NULL,
  edited_at    BIGINT NOT NULL,
  gone         TEXT COLLATE "C" NOT NULL, -- why there is nothing to be seen of it; empty: it is there
  preview      TEXT COLLATE "C", -- JSON
  preview_picture TEXT COLLATE "C", -- the key in it
  revision     BIGINT NOT NULL,
  sent_at      BIGINT NOT NULL,
  PRIMARY KEY (conversation, seq)
);
-- Of those that were changed; the others are found by seq.
CREATE UNIQUE INDEX messages_by_pos ON messages (conversation, pos) WHERE revision > 0;
-- Few messages have one, and it costs the others nothing.
CREATE INDEX messages_by_picture ON messages (preview_picture) WHERE preview_picture IS NOT NULL;

-- What was found behind links, for a day.
CREATE TABLE previews (
  link    TEXT COLLATE "C" PRIMARY KEY, -- a digest
  preview TEXT COLLATE "C" NOT NULL, -- JSON; without a site: there is nothing to show
  made_at BIGINT NOT NULL
);

-- Pictures of previews, as long as a message shows them.
CREATE TABLE preview_pictures (
  id      TEXT COLLATE "C" PRIMARY KEY,
  jpeg    BYTEA NOT NULL,
  made_at BIGINT NOT NULL
);

-- Who reacted to a message, and with what.
CREATE TABLE reactions (
  conversation TEXT COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL, -- of the message
  emoji        TEXT COLLATE "C" NOT NULL,
  user_id      TEXT COLLATE "C" NOT NULL,
  reacted_at   BIGINT NOT NULL,
  PRIMARY KEY (conversation, seq, emoji, user_id)
);

-- Of each message that anyone has reacted to, how often: an item of the conversation's feed.
CREATE TABLE reacted (
  conversation TEXT COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL,
  counts       TEXT COLLATE "C" NOT NULL, -- JSON, by emoji
  pos          BIGINT NOT NULL,
  tag          BIGINT NOT NULL,
  PRIMARY KEY (conversation, seq)
);
CREATE UNIQUE INDEX reacted_by_pos ON reacted (conversation, pos);

-- Which client ids became which messages. It is apart from messages because its rows outlive
-- those by design: what is sent again after its message was removed must not become another.
CREATE TABLE sent (
  sender       TEXT COLLATE "C" NOT NULL,
  client_id    TEXT COLLATE "C" NOT NULL,
  conversation TEXT COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL,
  sent_at      BIGINT NOT NULL,
  PRIMARY KEY (sender, client_id)
);

CREATE TABLE calls (
  id             TEXT COLLATE "C" PRIMARY KEY,
  client_call_id TEXT COLLATE "C" NOT NULL,
  conversation   TEXT COLLATE "C" NOT NULL,
  caller         TEXT COLLATE "C" NOT NULL,
  node           TEXT COLLATE "C" NOT NULL, -- which owns it
  epoch          BIGINT NOT NULL,
  cseq           BIGINT NOT NULL,
  direct         BIGINT NOT NULL,
  live           BIGINT NOT NULL,
  state          TEXT COLLATE "C" NOT NULL, -- JSON of the machine
  log            TEXT COLLATE "C" NOT NULL, -- JSON of its message in the conversation
  seq            BIGINT NOT NULL, -- of that message
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX calls_once ON calls (caller, client_call_id);
CREATE UNIQUE INDEX calls_one_live ON calls (conversation) WHERE live = 1 AND direct = 1;
CREATE INDEX calls_live ON calls (created_at) WHERE live = 1;

CREATE TABLE live_calls (
  call_id TEXT COLLATE "C" NOT NULL,
  user_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (call_id, user_id)
);
CREATE INDEX live_calls_by_user ON live_calls (user_id);

-- What is known of each file that somebody uploads. Its content lies elsewhere, see package files.
CREATE TABLE files (
  id          TEXT COLLATE "C" PRIMARY KEY,
  owner       TEXT COLLATE "C" NOT NULL,
  guest       BIGINT NOT NULL, -- whether the owner was one
  state       TEXT COLLATE "C" NOT NULL,
  file_name   TEXT COLLATE "C" NOT NULL,
  media_type  TEXT COLLATE "C" NOT NULL,
  bytes       BIGINT NOT NULL,
  width       BIGINT NOT NULL,
  height      BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL,
  claimed     BIGINT NOT NULL, -- whether the owner says so
  waveform    TEXT COLLATE "C" NOT NULL, -- base64
  thumbnail   TEXT COLLATE "C" NOT NULL, -- its type; empty: none
  created_at  BIGINT NOT NULL,
  collect_at  BIGINT NOT NULL  -- when it may be removed; 0: a message has it
);
CREATE INDEX files_to_collect ON files (collect_at) WHERE collect_at > 0;

-- Which messages have which files.
CREATE TABLE file_uses (
  conversation TEXT COLLATE "C" NOT NULL,
  seq          BIGINT NOT NULL,
  file_id      TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (conversation, seq, file_id)
);
CREATE INDEX file_uses_by_file ON file_uses (file_id, conversation, seq);

-- How many bytes of files each user has, and all of them together.
CREATE TABLE file_usage (
  owner TEXT COLLATE "C" PRIMARY KEY,
  bytes BIGINT NOT NULL
);
