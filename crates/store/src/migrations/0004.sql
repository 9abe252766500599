-- The messages of a conversation are a chain, newest first: appending to it touches only rows that are written anyway,
-- where an index touches another page for each conversation.
ALTER TABLE messages ADD COLUMN previous_id BLOB;
ALTER TABLE conversations ADD COLUMN last_message_id BLOB;
UPDATE messages SET previous_id = (SELECT p.id FROM messages p
  WHERE p.conversation_id = messages.conversation_id AND p.id < messages.id ORDER BY p.id DESC LIMIT 1);
UPDATE conversations SET last_message_id = (SELECT m.id FROM messages m
  WHERE m.conversation_id = conversations.id ORDER BY m.id DESC LIMIT 1);
DROP INDEX messages_by_conversation;

-- Of a conversation's activity only the minute is indexed (`last_message_at / 60000`), so that most messages leave the
-- index as it is.
ALTER TABLE conversations ADD COLUMN active_minute INTEGER;
UPDATE conversations SET active_minute = last_message_at / 60000;
DROP INDEX conversations_by_activity;
CREATE INDEX conversations_by_activity ON conversations (sender_id, active_minute);

-- SQLite only: see `idempotency::recent`. PostgreSQL goes on finding keys by the table's own.
CREATE TABLE answers (
  row INTEGER NOT NULL PRIMARY KEY, key BLOB NOT NULL, fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL, answer BLOB NOT NULL, created_at INTEGER NOT NULL
);
INSERT INTO answers (key, fingerprint, status, answer, created_at)
  SELECT key, fingerprint, status, answer, created_at FROM idempotency ORDER BY created_at;
DROP TABLE idempotency;
ALTER TABLE answers RENAME TO idempotency;
CREATE TABLE idempotency_keys (key BLOB NOT NULL PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO idempotency_keys (key, row) SELECT key, row FROM idempotency ORDER BY key;
INSERT INTO revisions (name, value) SELECT 'idempotency', COALESCE(MAX(row), 0) FROM idempotency;
