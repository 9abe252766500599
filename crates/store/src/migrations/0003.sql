-- Which accounts carry a sender's messages to a country, the first that works. `region` is ISO 3166-1 alpha-2, or empty
-- for all others.
CREATE TABLE routes (
  sender_id BLOB NOT NULL REFERENCES senders (id) ON DELETE CASCADE, region TEXT NOT NULL, position INTEGER NOT NULL,
  account_id BLOB NOT NULL REFERENCES accounts (id),
  PRIMARY KEY (sender_id, region, position)
) WITHOUT ROWID;

-- What carriers call the parts of a message, and what came of each.
CREATE TABLE parts (
  account_id BLOB NOT NULL, provider_id TEXT NOT NULL,
  message_id BLOB NOT NULL REFERENCES messages (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  status INTEGER NOT NULL, receipts INTEGER NOT NULL, error TEXT, created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, provider_id)
) WITHOUT ROWID;
CREATE INDEX parts_by_message ON parts (message_id, number);
-- Receipts that overtook the carrier's answer.
CREATE TABLE early_receipts (
  account_id BLOB NOT NULL, provider_id TEXT NOT NULL, status INTEGER NOT NULL,
  at INTEGER NOT NULL, error TEXT, created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, provider_id, status)
) WITHOUT ROWID;
CREATE INDEX early_receipts_by_age ON early_receipts (created_at);

-- What the caller wants handed back, and what the message costs: JSON of the engine's.
ALTER TABLE messages ADD COLUMN echo TEXT;
ALTER TABLE messages ADD COLUMN billing TEXT;

-- Who does not want to hear from us is told by address: somebody may say so before we know them. The ledger keeps every
-- change with its source and proof; `opt_outs` is what it comes to.
CREATE TABLE consent_entries (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  kind TEXT NOT NULL, value TEXT NOT NULL, channel TEXT NOT NULL, purpose TEXT NOT NULL,
  wanted INTEGER NOT NULL, source TEXT NOT NULL, proof TEXT, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX consent_entries_by_address ON consent_entries (organization_id, kind, value, id);
ALTER TABLE opt_outs RENAME TO opt_outs_of_contacts;
CREATE TABLE opt_outs (
  organization_id BLOB NOT NULL, channel TEXT NOT NULL, purpose TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
  id BLOB NOT NULL, region TEXT, source TEXT NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, kind, value, channel, purpose)
) WITHOUT ROWID;
CREATE INDEX opt_outs_by_age ON opt_outs (organization_id, id);
INSERT INTO opt_outs (organization_id, channel, purpose, kind, value, id, source, created_at)
  SELECT o.organization_id, o.channel, o.purpose, a.kind, a.value, o.contact_id, o.source, o.created_at
  FROM opt_outs_of_contacts o JOIN addresses a ON a.contact_id = o.contact_id;
DROP TABLE opt_outs_of_contacts;

-- More about people. `attributes` is a JSON object.
ALTER TABLE contacts ADD COLUMN country TEXT;
ALTER TABLE contacts ADD COLUMN owner TEXT;
ALTER TABLE contacts ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE contacts ADD COLUMN attributes TEXT NOT NULL DEFAULT '{}';
CREATE INDEX contacts_by_organization ON contacts (organization_id, id);
CREATE TABLE contact_tags (
  contact_id BLOB NOT NULL REFERENCES contacts (id) ON DELETE CASCADE, organization_id BLOB NOT NULL,
  tag TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (contact_id, tag)
) WITHOUT ROWID;
CREATE INDEX contact_tags_by_tag ON contact_tags (organization_id, tag, contact_id);

-- Codes that prove that an address is somebody's. `hash` is what an answer is compared with; `sealed` is kept only
-- while the code may have to be sent.
CREATE TABLE verifications (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id), origin TEXT NOT NULL,
  channel TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, hash BLOB NOT NULL, sealed BLOB,
  status TEXT NOT NULL, wrong INTEGER NOT NULL, message_id BLOB, fallback_id BLOB, options TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX verifications_by_address ON verifications (organization_id, kind, value, id);
CREATE INDEX verifications_by_message ON verifications (message_id);

-- Money, in millionths of a unit.
CREATE TABLE prices (
  channel TEXT NOT NULL, region TEXT NOT NULL, category TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
  PRIMARY KEY (channel, region, category)
) WITHOUT ROWID;
CREATE TABLE balances (
  organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations (id),
  amount INTEGER NOT NULL, currency TEXT NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE ledger_entries (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id),
  kind TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, message_id BLOB, note TEXT, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ledger_entries_by_organization ON ledger_entries (organization_id, id);
CREATE INDEX ledger_entries_by_message ON ledger_entries (message_id);

-- What callers tell us of their customers' doings.
CREATE TABLE event_definitions (
  organization_id BLOB NOT NULL REFERENCES organizations (id), name TEXT NOT NULL,
  label TEXT NOT NULL, object_type TEXT NOT NULL, description TEXT, created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, name)
) WITHOUT ROWID;
CREATE TABLE event_properties (
  organization_id BLOB NOT NULL, definition TEXT NOT NULL, name TEXT NOT NULL,
  label TEXT NOT NULL, type TEXT NOT NULL, description TEXT, position INTEGER NOT NULL, created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, definition, name)
) WITHOUT ROWID;
CREATE TABLE custom_events (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL, name TEXT NOT NULL, contact_id BLOB NOT NULL,
  properties TEXT NOT NULL, occurred_at INTEGER NOT NULL, created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX custom_events_by_contact ON custom_events (contact_id, name, id);
CREATE INDEX custom_events_by_name ON custom_events (organization_id, name, id);

CREATE INDEX senders_by_address ON senders (organization_id, channel, address);
-- A receiver that keeps failing is left alone until then.
ALTER TABLE subscriptions ADD COLUMN suspended_until INTEGER NOT NULL DEFAULT 0;
