-- The key is the organization and the directory's user id. An email address can change, or be given to another person.
-- `scim_occurred_at` is the time of the event that last wrote the row (src/newest-wins.ts). This time is text with nine
-- decimals, because timestamptz keeps only microseconds. COLLATE "C" compares times and ids byte by byte.
-- A deleted row stays as a tombstone.
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
