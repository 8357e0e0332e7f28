-- +goose Up

-- Whom a user added, or wrote to in a direct conversation: who may ring them where
-- reach.users = "contacts", and which guests may. Who only wrote to the user is not in it.
CREATE TABLE contacts (
  user    TEXT NOT NULL,
  contact TEXT NOT NULL,
  PRIMARY KEY (user, contact)
) STRICT, WITHOUT ROWID;
INSERT INTO contacts (user, contact)
  SELECT w.user, o.user FROM conversations c
  JOIN members w ON w.conversation = c.id
  JOIN members o ON o.conversation = c.id AND o.user <> w.user
  WHERE c.kind = 'direct' AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation = c.id AND m.sender = w.user);
