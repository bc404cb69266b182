// The verbs, as functions of the server; what they decide, and why, is told in judge.ts.

/** A table with its index, or a function. */
export interface SchemaPart {
  name: string
  kind: 'table' | 'function'
  sql: string
}

/** begin and renew. */
export function claimFunctions(schema: string): SchemaPart[] {
  return [
    {
      name: 'scalekit_scim_begin_v1',
      kind: 'function',
      sql: `-- 'duplicate', 'in-flight', 'busy', 'stale', or 'begun <fence> <watermark that a commit would write>'.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_begin_v1(
  in_namespace text, in_message text, in_token text, in_lease_seconds double precision, in_resource text,
  in_occurred_at text, in_deletion boolean, in_observed_at text, in_keep_seconds double precision
) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE
  now_at timestamptz := ${schema}.scalekit_scim_lock_v1(in_namespace, in_message, in_resource);
  now_instant text COLLATE "C" := ${schema}.scalekit_scim_instant_v1(now_at);
  until_at timestamptz := now_at + make_interval(secs => in_lease_seconds);
  occurred_at text COLLATE "C" := in_occurred_at;
  message ${schema}.scalekit_scim_messages;
  resource ${schema}.scalekit_scim_resources;
  ours boolean;
  stale boolean;
BEGIN
  SELECT * INTO message FROM ${schema}.scalekit_scim_messages
    WHERE namespace = in_namespace AND id = in_message AND expires_at > now_at;
  ours := message.token IS NOT NULL AND NOT message.done AND message.token = in_token;
  IF message.token IS NOT NULL AND NOT ours THEN
    RETURN CASE WHEN message.done THEN 'duplicate' ELSE 'in-flight' END;
  END IF;

  -- Over 300 s ahead counts as now.
  IF occurred_at IS NULL OR occurred_at > ${schema}.scalekit_scim_instant_v1(now_at + interval '300 s') THEN
    occurred_at := now_instant;
  END IF;
  IF in_resource IS NOT NULL THEN
    SELECT * INTO resource FROM ${schema}.scalekit_scim_resources
      WHERE namespace = in_namespace AND id = in_resource AND expires_at > now_at;
    IF NOT ours THEN
      IF resource.turn_until > now_at AND resource.turn_token <> in_token THEN RETURN 'busy'; END IF;
      stale := CASE
        WHEN in_observed_at IS NOT NULL
          THEN coalesce(resource.applied_at, resource.watermark) >= in_observed_at COLLATE "C"
        WHEN occurred_at = resource.watermark THEN resource.tombstone AND NOT in_deletion
        ELSE occurred_at < resource.watermark
      END;
      IF stale THEN RETURN 'stale'; END IF;
      resource.fence := greatest(
        coalesce(resource.fence, 0) + 1,
        (extract(epoch FROM now_at) * 1000000)::bigint
      );
    END IF;
  END IF;
  -- A claim whose resource was forgotten meanwhile gets a fence anew; without a resource the time is the fence.
  resource.fence := coalesce(resource.fence, (extract(epoch FROM now_at) * 1000000)::bigint);

  -- A sync's: never back, and 60 s behind its reading at most.
  IF in_observed_at IS NOT NULL THEN
    occurred_at := greatest(
      coalesce(resource.watermark, ''),
      least(coalesce(in_occurred_at, in_observed_at) COLLATE "C", in_observed_at COLLATE "C"),
      lpad(greatest(in_observed_at::numeric - 60000000000, 0)::text, 19, '0') COLLATE "C"
    );
  END IF;

  -- A claim that a crash of the server loses is begun anew: nobody waits for the disk.
  PERFORM set_config('synchronous_commit', 'off', true);
  INSERT INTO ${schema}.scalekit_scim_messages AS m (namespace, id, token, done, expires_at)
    VALUES (in_namespace, in_message, in_token, false, until_at)
    ON CONFLICT (namespace, id) DO UPDATE
      SET token = excluded.token, done = false, expires_at = excluded.expires_at;
  IF in_resource IS NOT NULL THEN
    INSERT INTO ${schema}.scalekit_scim_resources AS r
        (namespace, id, fence, watermark, tombstone, applied_at, turn_token, turn_until, expires_at)
      VALUES (in_namespace, in_resource, resource.fence, resource.watermark, coalesce(resource.tombstone, false),
        resource.applied_at, in_token, until_at,
        greatest(until_at, resource.expires_at, ${schema}.scalekit_scim_expiry_v1(now_at, in_keep_seconds)))
      ON CONFLICT (namespace, id) DO UPDATE
        SET fence = excluded.fence, watermark = excluded.watermark, tombstone = excluded.tombstone,
          applied_at = excluded.applied_at, turn_token = excluded.turn_token, turn_until = excluded.turn_until,
          expires_at = excluded.expires_at;
  END IF;
  RETURN 'begun ' || resource.fence || ' ' || occurred_at;
END
$f$;`,
    },
    {
      name: 'scalekit_scim_renew_v2',
      kind: 'function',
      sql: `-- Whether the claim is still the token's; one that is absent while nobody else has begun since is taken anew.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_renew_v2(
  in_namespace text, in_message text, in_token text, in_lease_seconds double precision, in_resource text,
  in_fence bigint, in_keep_seconds double precision
) RETURNS boolean LANGUAGE plpgsql AS $f$
DECLARE
  now_at timestamptz := ${schema}.scalekit_scim_lock_v1(in_namespace, in_message, in_resource);
  until_at timestamptz := now_at + make_interval(secs => in_lease_seconds);
BEGIN
  PERFORM FROM ${schema}.scalekit_scim_messages
    WHERE namespace = in_namespace AND id = in_message AND (NOT done OR expires_at > now_at)
      AND (done OR token <> in_token);
  IF FOUND THEN RETURN false; END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  IF in_resource IS NOT NULL THEN
    UPDATE ${schema}.scalekit_scim_resources
      SET turn_until = until_at, expires_at = greatest(expires_at, until_at)
      WHERE namespace = in_namespace AND id = in_resource AND fence = in_fence AND turn_token = in_token;
    IF NOT FOUND THEN
      INSERT INTO ${schema}.scalekit_scim_resources AS r (namespace, id, fence, turn_token, turn_until, expires_at)
        VALUES (in_namespace, in_resource, in_fence, in_token, until_at,
          greatest(until_at, ${schema}.scalekit_scim_expiry_v1(now_at, in_keep_seconds)))
        ON CONFLICT (namespace, id) DO NOTHING;
      IF NOT FOUND THEN RETURN false; END IF;
    END IF;
  END IF;
  INSERT INTO ${schema}.scalekit_scim_messages AS m (namespace, id, token, done, expires_at)
    VALUES (in_namespace, in_message, in_token, false, until_at)
    ON CONFLICT (namespace, id) DO UPDATE
      SET token = excluded.token, done = false, expires_at = excluded.expires_at;
  RETURN true;
END
$f$;`,
    },
  ]
}

/** commit and release. */
export function settleFunctions(schema: string): SchemaPart[] {
  return [
    {
      name: 'scalekit_scim_commit_v1',
      kind: 'function',
      sql: `-- 'ok' where the claim is the token's or absent and the fence has not moved, and when repeated; else 'lost'.
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
    INSERT INTO ${schema}.scalekit_scim_messages AS m (namespace, id, token, done, expires_at)
      VALUES (in_namespace, in_message, in_token, true, now_at + make_interval(secs => in_retention_seconds))
      ON CONFLICT (namespace, id) DO UPDATE
        SET token = excluded.token, done = true, expires_at = excluded.expires_at;
  ELSE
    DELETE FROM ${schema}.scalekit_scim_messages WHERE namespace = in_namespace AND id = in_message;
  END IF;
  RETURN 'ok';
END
$f$;`,
    },
    {
      name: 'scalekit_scim_release_v1',
      kind: 'function',
      sql: `CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_release_v1(
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
    },
  ]
}

/** forget, and the small records. */
export function keepingFunctions(schema: string): SchemaPart[] {
  return [
    {
      name: 'scalekit_scim_forget_v2',
      kind: 'function',
      sql: `-- Forgets a message, or a resource; whether it was known, and had not expired.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_forget_v2(in_namespace text, in_message text, in_resource text)
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
    },
    {
      name: 'scalekit_scim_record_v1',
      kind: 'function',
      sql: `-- Writes a value, or deletes the record with NULL, where the present value is the expected one; whether it did.
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
    },
  ]
}
