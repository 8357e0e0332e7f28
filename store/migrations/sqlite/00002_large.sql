-- +goose Up

-- Whether a conversation has ever had more than chat.large_group members. What changes there is told
-- on a subject of its own, and no longer to each member.
ALTER TABLE conversations ADD COLUMN large INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversations_large ON conversations (large, id) WHERE large = 1;
