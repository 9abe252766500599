-- Numbers that are bought: one row from the search to the release. `details` is JSON of the engine's, `code` the
-- sealed code that came for it. Nobody else may want a number while its order is open.
CREATE TABLE number_orders (
  id BLOB NOT NULL PRIMARY KEY, organization_id BLOB NOT NULL REFERENCES organizations (id), origin TEXT NOT NULL,
  profile TEXT NOT NULL, intent TEXT, state TEXT NOT NULL, open INTEGER NOT NULL, number TEXT,
  account_id BLOB NOT NULL REFERENCES accounts (id), carrier_id BLOB NOT NULL REFERENCES accounts (id),
  details TEXT NOT NULL, code BLOB, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX number_orders_by_organization ON number_orders (organization_id, id);
CREATE UNIQUE INDEX number_orders_by_intent ON number_orders (organization_id, intent);
CREATE UNIQUE INDEX number_orders_by_number ON number_orders (number) WHERE open = 1;

-- When a profile last bought a number, so that it does not buy two by mistake.
CREATE TABLE number_purchases (
  organization_id BLOB NOT NULL REFERENCES organizations (id), profile TEXT NOT NULL,
  order_id BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, profile)
) WITHOUT ROWID;
