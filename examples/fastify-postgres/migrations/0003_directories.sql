-- The directory of an account or a group, because an organization may have several directories. The value is NULL
-- until an event contains it. Events of the sync contain it. User webhooks usually do not contain it.
ALTER TABLE accounts ADD COLUMN directory_id text COLLATE "C";
ALTER TABLE groups ADD COLUMN directory_id text COLLATE "C";
