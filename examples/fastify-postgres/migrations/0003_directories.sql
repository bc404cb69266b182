-- The directory of an account or a group, because an organization may have several directories. NULL until an event
-- contains it. User webhooks do not contain it. Events of the sync do.
ALTER TABLE accounts ADD COLUMN directory_id text COLLATE "C";
ALTER TABLE groups ADD COLUMN directory_id text COLLATE "C";
