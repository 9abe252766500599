-- What a live session must remember. `value` is sealed; `mark` and `at` are clear, for finding by another name and by
-- age. Nothing is written here but under the fence in `sessions`, which answers for the sender.
CREATE TABLE session_state (
  sender_id BLOB NOT NULL, kind TEXT NOT NULL, key BLOB NOT NULL,
  value BLOB NOT NULL, mark INTEGER, at INTEGER,
  PRIMARY KEY (sender_id, kind, key)
);
CREATE INDEX session_state_by_mark ON session_state (sender_id, kind, mark) WHERE mark IS NOT NULL;
CREATE INDEX session_state_by_age ON session_state (sender_id, kind, at) WHERE at IS NOT NULL;
-- Senders whose provider needs a live connection. `holder`, `fence` and `lease_until` say whose it is to keep it up;
-- the fence grows with every taking and guards everything that is written for the session.
CREATE TABLE sessions (
  sender_id BLOB NOT NULL PRIMARY KEY REFERENCES senders (id),
  organization_id BLOB NOT NULL, wanted INTEGER NOT NULL, opening INTEGER NOT NULL,
  state TEXT NOT NULL, reason TEXT, next_step TEXT, identity TEXT, offer TEXT,
  failures INTEGER NOT NULL, retry_at INTEGER NOT NULL,
  connected_at INTEGER, active_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  holder TEXT, fence INTEGER NOT NULL, lease_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_organization ON sessions (organization_id, sender_id);
CREATE INDEX sessions_wanted ON sessions (active_at) WHERE wanted = 1;

-- Questions to a session that another process keeps up, and its answers.
CREATE TABLE calls (
  id BLOB NOT NULL PRIMARY KEY, sender_id BLOB NOT NULL REFERENCES senders (id),
  name TEXT NOT NULL, ask TEXT NOT NULL, asked_at INTEGER NOT NULL, until INTEGER NOT NULL,
  taken INTEGER NOT NULL, answer TEXT, answered_at INTEGER
) WITHOUT ROWID;
CREATE INDEX calls_waiting ON calls (sender_id) WHERE taken = 0;
CREATE INDEX calls_by_end ON calls (until);

ALTER TABLE api_keys ADD COLUMN sender_id BLOB REFERENCES senders (id);
ALTER TABLE api_keys ADD COLUMN sealed BLOB;
ALTER TABLE subscriptions ADD COLUMN sender_id BLOB REFERENCES senders (id);
ALTER TABLE subscriptions ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE senders ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

-- Where a provider's ids are unique only within a chat and for an author.
ALTER TABLE messages ADD COLUMN chat TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN author TEXT NOT NULL DEFAULT '';
DROP INDEX messages_by_provider_id;
CREATE UNIQUE INDEX messages_by_provider_id ON messages (sender_id, provider_id, chat, author) WHERE provider_id IS NOT NULL;

-- What an account's owner calls people, and how he has his chats.
CREATE TABLE people (
  sender_id BLOB NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
  first_name TEXT NOT NULL, full_name TEXT NOT NULL, push_name TEXT NOT NULL, business_name TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (sender_id, kind, value)
) WITHOUT ROWID;
CREATE TABLE chats (
  sender_id BLOB NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
  pinned INTEGER NOT NULL, archived INTEGER NOT NULL, muted_until INTEGER, updated_at INTEGER NOT NULL,
  PRIMARY KEY (sender_id, kind, value)
) WITHOUT ROWID;
