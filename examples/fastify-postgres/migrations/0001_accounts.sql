-- Rows are keyed by organization and directory id, never by email: an email changes, and can be given to somebody else.
-- `scim_occurred_at` is the time of the event that wrote the row last (src/newest-wins.ts): text with nine decimals, for
-- timestamptz ends at microseconds. COLLATE "C" compares it, and the ids, byte by byte. A deleted row stays.
CREATE TABLE accounts (
  organization_id  text COLLATE "C" NOT NULL,
  id               text COLLATE "C" NOT NULL,
  state            text NOT NULL CHECK (state IN ('active', 'deactivated', 'deleted')),
  email            text,
  name             text,
  roles            text[] NOT NULL,
  scim_occurred_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, id)
);
