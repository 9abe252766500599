-- Every attempt at a receiver, for its owner to look at where his dialect shows them.
ALTER TABLE attempts ADD COLUMN organization_id BLOB;
ALTER TABLE attempts ADD COLUMN url TEXT;
ALTER TABLE attempts ADD COLUMN response_body TEXT;
CREATE INDEX attempts_shown ON attempts (organization_id, started_at) WHERE organization_id IS NOT NULL;

-- What is sent along with every delivery, sealed.
ALTER TABLE subscriptions ADD COLUMN headers BLOB;
-- Since when a receiver was switched on, when it last took something, and since when it has not.
ALTER TABLE subscriptions ADD COLUMN enabled_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN succeeded_at INTEGER;
ALTER TABLE subscriptions ADD COLUMN failing_since INTEGER;
