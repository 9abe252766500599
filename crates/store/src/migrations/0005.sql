-- A balance never goes below zero, and for a message there is at most one entry of each kind.
DROP TABLE balances;
CREATE TABLE balances (
  organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations (id),
  amount INTEGER NOT NULL CHECK (amount >= 0), currency TEXT NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
DROP INDEX ledger_entries_by_message;
CREATE UNIQUE INDEX ledger_entries_by_message ON ledger_entries (message_id, kind);

-- Codes are asked for at a pace: the bucket of a recipient, or of all numbers that begin alike, as the moment at which it
-- will be full again.
CREATE TABLE verification_paces (
  organization_id BLOB NOT NULL REFERENCES organizations (id), name TEXT NOT NULL, full_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, name)
) WITHOUT ROWID;
-- Messages name their verification.
DROP INDEX verifications_by_message;
CREATE INDEX verifications_sealed ON verifications (expires_at) WHERE sealed IS NOT NULL;
