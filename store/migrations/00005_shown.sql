-- +goose Up

-- listed: a contact. shown: to whom the user has opened a conversation, written or called, who
-- sees the user's name and picture from then on, also after the user has removed them.
ALTER TABLE contacts ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;
ALTER TABLE contacts ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;
INSERT INTO contacts (user, contact, listed, shown)
  SELECT w.user, o.user, 0, 1 FROM conversations c
  JOIN members w ON w.conversation = c.id
  JOIN members o ON o.conversation = c.id AND o.user <> w.user
  WHERE c.kind = 'direct' AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation = c.id AND m.sender = w.user)
  ON CONFLICT (user, contact) DO UPDATE SET shown = 1;
