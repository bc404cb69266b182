import { putMessage, type SchemaParts } from './claim-functions.ts'

/**
 * Returns the SQL functions for commit, release, forget and the small records. Commit and release follow the rules of
 * decisions.ts.
 */
export function settleFunctions(schema: string): SchemaParts {
  return {
    scalekit_scim_commit_v1: `-- Returns 'ok' if the token has the claim or the claim is absent, and the fence has not changed. A repeated commit is also 'ok'. Otherwise returns 'lost'.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_commit_v1(
  in_namespace text, in_message text, in_token text, in_resource text, in_fence bigint, in_watermark text,
  in_tombstone boolean, in_retention_seconds double precision, in_keep_seconds double precision
) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE
  now_at timestamptz := ${schema}.scalekit_scim_lock_v1(in_namespace, in_message, in_resource);
  message ${schema}.scalekit_scim_messages;
BEGIN
  SELECT * INTO message FROM ${schema}.scalekit_scim_messages
    WHERE namespace = in_namespace AND id = in_message AND (NOT done OR expires_at > now_at);
  IF message.token <> in_token THEN RETURN 'lost'; END IF;
  IF message.done THEN RETURN 'ok'; END IF;

  IF in_resource IS NOT NULL THEN
    PERFORM FROM ${schema}.scalekit_scim_resources
      WHERE namespace = in_namespace AND id = in_resource AND expires_at > now_at AND fence <> in_fence;
    IF FOUND THEN RETURN 'lost'; END IF;
    INSERT INTO ${schema}.scalekit_scim_resources AS r
        (namespace, id, fence, watermark, tombstone, applied_at, turn_token, turn_until, expires_at)
      VALUES (in_namespace, in_resource, in_fence, in_watermark, in_tombstone,
        ${schema}.scalekit_scim_instant_v1(now_at), NULL, NULL,
        ${schema}.scalekit_scim_expiry_v1(now_at, in_keep_seconds))
      ON CONFLICT (namespace, id) DO UPDATE
        SET fence = excluded.fence, watermark = excluded.watermark, tombstone = excluded.tombstone,
          applied_at = excluded.applied_at, turn_token = NULL, turn_until = NULL, expires_at = excluded.expires_at;
  END IF;
  IF in_retention_seconds > 0 THEN
    ${putMessage(schema, 'true', 'now_at + make_interval(secs => in_retention_seconds)')}
  ELSE
    DELETE FROM ${schema}.scalekit_scim_messages WHERE namespace = in_namespace AND id = in_message;
  END IF;
  RETURN 'ok';
END
$f$;`,
    scalekit_scim_release_v1: `CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_release_v1(
  in_namespace text, in_message text, in_token text, in_resource text
) RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
  PERFORM ${schema}.scalekit_scim_lock_v1(in_namespace, in_message, in_resource);
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE ${schema}.scalekit_scim_resources SET turn_token = NULL, turn_until = NULL
    WHERE namespace = in_namespace AND id = in_resource AND turn_token = in_token;
  DELETE FROM ${schema}.scalekit_scim_messages
    WHERE namespace = in_namespace AND id = in_message AND token = in_token AND NOT done;
END
$f$;`,
    scalekit_scim_forget_v1: `-- Forgets a message or a resource. Returns whether it was known and had not expired.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_forget_v1(in_namespace text, in_message text, in_resource text)
RETURNS boolean LANGUAGE plpgsql AS $f$
DECLARE
  now_at timestamptz := ${schema}.scalekit_scim_lock_v1(in_namespace, in_message, in_resource);
  known boolean;
BEGIN
  IF in_resource IS NULL THEN
    DELETE FROM ${schema}.scalekit_scim_messages WHERE namespace = in_namespace AND id = in_message
      RETURNING expires_at > now_at INTO known;
  ELSE
    DELETE FROM ${schema}.scalekit_scim_resources WHERE namespace = in_namespace AND id = in_resource
      RETURNING expires_at > now_at INTO known;
  END IF;
  RETURN coalesce(known, false);
END
$f$;`,
    scalekit_scim_record_v1: `-- If the present value is the expected one, writes the new value. NULL deletes the record. Returns whether it wrote.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_record_v1(
  in_namespace text, in_record text, in_expected text, in_value text, in_expiry_seconds double precision
) RETURNS boolean LANGUAGE plpgsql AS $f$
DECLARE
  now_at timestamptz := ${schema}.scalekit_scim_lock_v1(in_namespace, 'record ' || in_record, NULL);
  present text;
BEGIN
  SELECT value INTO present FROM ${schema}.scalekit_scim_records
    WHERE namespace = in_namespace AND id = in_record AND expires_at > now_at;
  IF present IS DISTINCT FROM in_expected THEN RETURN false; END IF;
  IF in_value IS NULL THEN
    DELETE FROM ${schema}.scalekit_scim_records WHERE namespace = in_namespace AND id = in_record;
  ELSE
    INSERT INTO ${schema}.scalekit_scim_records AS r (namespace, id, value, expires_at)
      VALUES (in_namespace, in_record, in_value, now_at + make_interval(secs => in_expiry_seconds))
      ON CONFLICT (namespace, id) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at;
  END IF;
  RETURN true;
END
$f$;`,
  }
}
