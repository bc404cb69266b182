/** The SQL of each table or function, by its name. */
export type SchemaParts = Readonly<Record<string, string>>

/** Returns the SQL that writes the row of the claim's message. */
export function putMessage(schema: string, done: 'true' | 'false', expiresAt: string): string {
  return `INSERT INTO ${schema}.scalekit_scim_messages AS m (namespace, id, token, done, expires_at)
    VALUES (in_namespace, in_message, in_token, ${done}, ${expiresAt})
    ON CONFLICT (namespace, id) DO UPDATE
      SET token = excluded.token, done = excluded.done, expires_at = excluded.expires_at;`
}

/** Returns the SQL functions for begin and renew. The functions follow the rules of decisions.ts. */
export function claimFunctions(schema: string): SchemaParts {
  return {
    scalekit_scim_begin_v1: `-- Returns 'duplicate', 'in-flight', 'busy', 'stale', or 'begun <fence> <watermark that a commit would write>'.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_begin_v1(
  in_namespace text, in_message text, in_token text, in_resource text, in_lease_seconds double precision,
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

  -- A time over 300 s ahead counts as now.
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
  -- If the resource was forgotten meanwhile, the claim gets a new fence. If there is no resource, the time is the
  -- fence.
  resource.fence := coalesce(resource.fence, (extract(epoch FROM now_at) * 1000000)::bigint);

  -- A sync's watermark never goes back, and is at most 60 s older than the time at which the sync read the record.
  IF in_observed_at IS NOT NULL THEN
    occurred_at := greatest(
      coalesce(resource.watermark, ''),
      least(coalesce(in_occurred_at, in_observed_at) COLLATE "C", in_observed_at COLLATE "C"),
      lpad(greatest(in_observed_at::numeric - 60000000000, 0)::text, 19, '0') COLLATE "C"
    );
  END IF;

  -- Do not wait for the disk: if a crash of the server loses a claim, the message is begun again.
  PERFORM set_config('synchronous_commit', 'off', true);
  ${putMessage(schema, 'false', 'until_at')}
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
    scalekit_scim_renew_v1: `-- Returns whether the token still has the claim. An absent claim counts if nobody else has begun since, and is written again.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_renew_v1(
  in_namespace text, in_message text, in_token text, in_resource text, in_lease_seconds double precision,
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
  ${putMessage(schema, 'false', 'until_at')}
  RETURN true;
END
$f$;`,
  }
}
