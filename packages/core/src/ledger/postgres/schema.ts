import { claimFunctions, keepingFunctions, type SchemaPart, settleFunctions } from './functions.ts'

// What the ledger keeps in PostgreSQL, and the functions that decide there. They decide as judge.ts does.
//
// Each function is one atomic step: it takes the locks of its message and its resource, lower key first, so that no
// two calls wait for each other; only then it looks at the clock and the rows. Two keys that hash alike share a lock,
// which costs a moment and nothing else. Under READ COMMITTED each statement sees what was committed before it
// began; a snapshot from before the lock would see a claim's absence that is over, hence the check.
//
// The functions carry a version: two versions of the package share tables, not functions, while one replaces the other.
// So a function that changes takes the next version; what is there by a name is never replaced on first use.

/** What the functions raise where the transaction's isolation is another than READ COMMITTED. */
export const wrongIsolationState = 'SCIM1'

/**
 * The tables, indexes and functions of the PostgreSQL ledger, as SQL that may run again. They are made on first use
 * where the account may; else an administrator runs this beforehand.
 *
 * @param schema Where they are, as `@keyv/postgres` is told. @default 'public'
 */
export function postgresLedgerSchema(schema = 'public'): string {
  return parts(schema)
    .map(({ sql }) => `${sql}\n`)
    .join('\n')
}

/**
 * Makes what is missing, and touches nothing that is there: an index of a table in use would wait for it, and a function
 * may be an administrator's.
 */
export function createMissing(schema: string): string {
  const steps = parts(schema).map(({ name, kind, sql }) => {
    const found = kind === 'table' ? 'to_regclass' : 'to_regproc'
    return `  IF ${found}('${schema.replaceAll("'", "''")}.${name}') IS NULL THEN EXECUTE $sql$${sql}$sql$; END IF;`
  })
  return `DO $do$ BEGIN\n${steps.join('\n')}\nEND $do$`
}

function parts(schema: string): SchemaPart[] {
  return [
    ...tables(schema),
    ...sharedFunctions(schema),
    ...claimFunctions(schema),
    ...settleFunctions(schema),
    ...keepingFunctions(schema),
  ]
}

function tables(schema: string): SchemaPart[] {
  return [
    {
      name: 'scalekit_scim_messages',
      kind: 'table',
      sql: `CREATE TABLE IF NOT EXISTS ${schema}.scalekit_scim_messages (
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  token text COLLATE "C" NOT NULL,
  done boolean NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, id)
);
CREATE INDEX IF NOT EXISTS scalekit_scim_messages_expiry ON ${schema}.scalekit_scim_messages (expires_at);`,
    },
    {
      name: 'scalekit_scim_resources',
      kind: 'table',
      sql: `CREATE TABLE IF NOT EXISTS ${schema}.scalekit_scim_resources (
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  fence bigint NOT NULL,
  watermark text COLLATE "C",
  tombstone boolean NOT NULL DEFAULT false,
  applied_at text COLLATE "C",
  turn_token text COLLATE "C",
  turn_until timestamptz,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, id)
) WITH (fillfactor = 90);
CREATE INDEX IF NOT EXISTS scalekit_scim_resources_expiry ON ${schema}.scalekit_scim_resources (expires_at);`,
    },
    {
      name: 'scalekit_scim_records',
      kind: 'table',
      sql: `CREATE TABLE IF NOT EXISTS ${schema}.scalekit_scim_records (
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, id)
);
CREATE INDEX IF NOT EXISTS scalekit_scim_records_expiry ON ${schema}.scalekit_scim_records (expires_at);`,
    },
  ]
}

function sharedFunctions(schema: string): SchemaPart[] {
  return [
    {
      name: 'scalekit_scim_instant_v1',
      kind: 'function',
      sql: `-- Nanoseconds since 1970 in 19 digits, comparable as text.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_instant_v1(at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $f$
  SELECT lpad((extract(epoch FROM at) * 1000000)::bigint::text || '000', 19, '0')
$f$;`,
    },
    {
      name: 'scalekit_scim_expiry_v1',
      kind: 'function',
      sql: `-- Kept at least so long. A long time ends with its hour, so that a row that is written often keeps its place in the index.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_expiry_v1(at timestamptz, seconds double precision)
RETURNS timestamptz LANGUAGE sql STABLE AS $f$
  SELECT CASE WHEN seconds < 86400 THEN at + make_interval(secs => seconds)
    ELSE date_trunc('hour', at + make_interval(secs => seconds)) + interval '1 hour' END
$f$;`,
    },
    {
      name: 'scalekit_scim_lock_v1',
      kind: 'function',
      sql: `CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_lock_v1(in_namespace text, in_message text, in_resource text)
RETURNS timestamptz LANGUAGE plpgsql AS $f$
DECLARE
  message_key bigint := hashtextextended(in_namespace || ' m ' || in_message, 0);
  resource_key bigint := hashtextextended(in_namespace || ' r ' || in_resource, 0);
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the ledger needs READ COMMITTED' USING ERRCODE = '${wrongIsolationState}';
  END IF;
  PERFORM pg_advisory_xact_lock(least(message_key, resource_key));
  IF message_key <> resource_key THEN
    PERFORM pg_advisory_xact_lock(greatest(message_key, resource_key));
  END IF;
  RETURN clock_timestamp();
END
$f$;`,
    },
  ]
}
