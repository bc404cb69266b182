-- Whose an account or a group is, for an organization may have several directories. NULL until an event has told it:
-- webhooks of users do not, the sync does.
ALTER TABLE accounts ADD COLUMN directory_id text COLLATE "C";
ALTER TABLE groups ADD COLUMN directory_id text COLLATE "C";
