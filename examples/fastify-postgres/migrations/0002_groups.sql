CREATE TABLE groups (
  organization_id  text COLLATE "C" NOT NULL,
  id               text COLLATE "C" NOT NULL,
  state            text NOT NULL CHECK (state IN ('active', 'deleted')),
  name             text,
  scim_occurred_at text COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, id)
);

CREATE TABLE memberships (
  organization_id text COLLATE "C" NOT NULL,
  account_id      text COLLATE "C" NOT NULL,
  group_id        text COLLATE "C" NOT NULL,
  PRIMARY KEY (organization_id, account_id, group_id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
  FOREIGN KEY (organization_id, group_id) REFERENCES groups (organization_id, id)
);

CREATE INDEX memberships_by_group ON memberships (organization_id, group_id);
