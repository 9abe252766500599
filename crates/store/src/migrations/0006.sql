-- One template to many people. `last_position` is the newest recipient's place, `taken` that of the last one looked at
-- for sending; `told_at` is when its progress was told last.
CREATE TABLE campaigns (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id), sender_id BLOB NOT NULL,
  origin TEXT NOT NULL, name TEXT NOT NULL, description TEXT, content TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT, resumes_at INTEGER,
  scheduled_at INTEGER, started_at INTEGER, completed_at INTEGER,
  last_position INTEGER NOT NULL, taken INTEGER NOT NULL, told_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX campaigns_by_organization ON campaigns (organization_id, id);

CREATE TABLE campaign_recipients (
  campaign_id BLOB NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE, position INTEGER NOT NULL,
  kind TEXT NOT NULL, value TEXT NOT NULL, name TEXT, variables TEXT NOT NULL,
  standing INTEGER NOT NULL, message_id BLOB, error TEXT,
  queued_at INTEGER, sent_at INTEGER, delivered_at INTEGER, read_at INTEGER, failed_at INTEGER,
  PRIMARY KEY (campaign_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX campaign_recipients_by_address ON campaign_recipients (campaign_id, kind, value);

-- How many recipients stand how, in shares that are added up: so that many commits need not wait for each other at one row.
CREATE TABLE campaign_counts (
  campaign_id BLOB NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE, share INTEGER NOT NULL,
  pending INTEGER NOT NULL, queued INTEGER NOT NULL, sent INTEGER NOT NULL,
  failed INTEGER NOT NULL, delivered INTEGER NOT NULL, read INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, share)
) WITHOUT ROWID;
