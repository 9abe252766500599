-- Times are milliseconds since 1970, UTC. Ids are 12 bytes. JSON is text. On PostgreSQL BLOB becomes BYTEA
-- and INTEGER becomes BIGINT. Tables with wide rows keep SQLite's row id: a clustered index spills them early.

CREATE TABLE settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE revisions (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO revisions (name, value) VALUES ('cache', 1);

CREATE TABLE organizations (
  id BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_keys (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  dialect TEXT NOT NULL, label TEXT NOT NULL, hash BLOB NOT NULL, last4 TEXT NOT NULL, live INTEGER NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);

CREATE TABLE accounts (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  provider TEXT NOT NULL, external_id TEXT NOT NULL, name TEXT NOT NULL,
  config TEXT NOT NULL, secrets BLOB NOT NULL,
  status TEXT NOT NULL, status_reason TEXT, heard_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_by_external_id ON accounts (provider, external_id);

CREATE TABLE senders (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  account_id BLOB NOT NULL REFERENCES accounts (id),
  channel TEXT NOT NULL, provider TEXT NOT NULL, external_id TEXT NOT NULL, address TEXT NOT NULL,
  name TEXT, status TEXT NOT NULL, status_reason TEXT, config TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX senders_by_external_id ON senders (provider, external_id);
CREATE INDEX senders_by_organization ON senders (organization_id, id);

CREATE TABLE lanes (
  sender_id BLOB NOT NULL PRIMARY KEY REFERENCES senders (id),
  free_at_us INTEGER NOT NULL, held_until INTEGER NOT NULL, hold_reason TEXT,
  holder TEXT, fence INTEGER NOT NULL, lease_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE contacts (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  name TEXT, email TEXT, metadata TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE addresses (
  organization_id BLOB NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
  contact_id BLOB NOT NULL REFERENCES contacts (id) ON DELETE CASCADE, created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, kind, value)
) WITHOUT ROWID;
CREATE INDEX addresses_by_contact ON addresses (contact_id, kind);

CREATE TABLE contact_senders (
  sender_id BLOB NOT NULL REFERENCES senders (id),
  contact_id BLOB NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  PRIMARY KEY (sender_id, contact_id)
) WITHOUT ROWID;
CREATE INDEX contact_senders_by_contact ON contact_senders (contact_id);

CREATE TABLE conversations (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL,
  sender_id BLOB NOT NULL REFERENCES senders (id),
  contact_id BLOB NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  status TEXT NOT NULL, assignee TEXT, unread_count INTEGER NOT NULL,
  last_message_at INTEGER, last_inbound_at INTEGER, window_until INTEGER, pair_free_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX conversations_by_contact ON conversations (contact_id, sender_id);
CREATE INDEX conversations_by_activity ON conversations (sender_id, last_message_at, id);

CREATE TABLE messages (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL, sender_id BLOB NOT NULL,
  conversation_id BLOB NOT NULL, contact_id BLOB NOT NULL,
  direction INTEGER NOT NULL, kind TEXT NOT NULL, content TEXT NOT NULL, reply_to TEXT,
  address TEXT NOT NULL, status INTEGER NOT NULL, receipts INTEGER NOT NULL, error TEXT,
  provider_id TEXT, origin TEXT NOT NULL, request_id TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX messages_by_provider_id ON messages (sender_id, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX messages_by_sender ON messages (sender_id, id);
CREATE INDEX messages_by_conversation ON messages (conversation_id, id);

CREATE TABLE media (
  message_id BLOB NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  organization_id BLOB NOT NULL, external_id TEXT, mime TEXT NOT NULL, filename TEXT,
  status TEXT NOT NULL, reason TEXT, size INTEGER, sha256 TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE templates (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL,
  account_id BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  name TEXT NOT NULL, language TEXT NOT NULL, category TEXT NOT NULL,
  status TEXT NOT NULL, status_reason TEXT, quality TEXT, body TEXT NOT NULL, variables TEXT NOT NULL,
  components TEXT NOT NULL, external_id TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX templates_by_name ON templates (account_id, name, language);
CREATE INDEX templates_by_external_id ON templates (account_id, external_id);

CREATE TABLE labels (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  team TEXT NOT NULL, name TEXT NOT NULL, color TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX labels_by_name ON labels (organization_id, team, name);

CREATE TABLE contact_labels (
  contact_id BLOB NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  label_id BLOB NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
  PRIMARY KEY (contact_id, label_id)
) WITHOUT ROWID;
CREATE INDEX contact_labels_by_label ON contact_labels (label_id);

CREATE TABLE conversation_labels (
  conversation_id BLOB NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  label_id BLOB NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
  PRIMARY KEY (conversation_id, label_id)
) WITHOUT ROWID;
CREATE INDEX conversation_labels_by_label ON conversation_labels (label_id);

CREATE TABLE events (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL, kind TEXT NOT NULL,
  subject_id BLOB NOT NULL, conversation_id BLOB, sender_id BLOB, fact_id TEXT,
  data TEXT NOT NULL, document_format TEXT, document BLOB, pending INTEGER NOT NULL, created_at INTEGER NOT NULL
);
CREATE INDEX events_by_subject ON events (subject_id, id);
CREATE INDEX events_pending ON events (id) WHERE pending = 1;

CREATE TABLE subscriptions (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  dialect TEXT NOT NULL, transport TEXT NOT NULL, format TEXT NOT NULL, url TEXT NOT NULL, description TEXT,
  events TEXT NOT NULL, kinds TEXT NOT NULL, status TEXT NOT NULL, disabled_reason TEXT, consecutive_failures INTEGER NOT NULL,
  ordered INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX subscriptions_by_organization ON subscriptions (organization_id, id);

CREATE TABLE subscription_secrets (
  id BLOB NOT NULL PRIMARY KEY, subscription_id BLOB NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
  sealed BLOB NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER
) WITHOUT ROWID;
CREATE INDEX subscription_secrets_by_subscription ON subscription_secrets (subscription_id, id);

CREATE TABLE deliveries (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL,
  subscription_id BLOB NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
  event_id BLOB NOT NULL, conversation_id BLOB, event_kind TEXT NOT NULL, name TEXT NOT NULL, fact_id TEXT NOT NULL,
  body BLOB NOT NULL, headers TEXT NOT NULL,
  status TEXT NOT NULL, open INTEGER NOT NULL, ordered INTEGER NOT NULL, attempt_count INTEGER NOT NULL,
  last_attempt_at INTEGER, next_attempt_at INTEGER,
  response_status INTEGER, response_snippet TEXT, error TEXT, duration_ms INTEGER,
  replayed_from BLOB, replayed INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (subscription_id, next_attempt_at) WHERE open = 1;
CREATE INDEX deliveries_in_order ON deliveries (subscription_id, conversation_id, id) WHERE open = 1 AND ordered = 1;
CREATE INDEX deliveries_by_organization ON deliveries (organization_id, id);
CREATE INDEX deliveries_by_event ON deliveries (event_id, subscription_id);

CREATE TABLE attempts (
  delivery_id BLOB NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  started_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL, response_status INTEGER, outcome TEXT NOT NULL,
  PRIMARY KEY (delivery_id, number)
) WITHOUT ROWID;

CREATE TABLE jobs (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL, kind TEXT NOT NULL, lane BLOB NOT NULL,
  state INTEGER NOT NULL, attempts INTEGER NOT NULL, due_at INTEGER NOT NULL,
  called_at INTEGER, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (kind, lane, due_at, id);

CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL, lease_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE idempotency (
  key BLOB NOT NULL PRIMARY KEY, fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL, answer BLOB NOT NULL, created_at INTEGER NOT NULL
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE opt_outs (
  organization_id BLOB NOT NULL, contact_id BLOB NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  channel TEXT NOT NULL, purpose TEXT NOT NULL, source TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, contact_id, channel, purpose)
) WITHOUT ROWID;
