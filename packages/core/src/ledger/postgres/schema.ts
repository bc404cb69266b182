import { claimFunctions, type SchemaParts } from './claim-functions.ts'
import { settleFunctions } from './settle-functions.ts'

// The tables and functions of the PostgreSQL ledger. The functions follow the rules of decisions.ts.
//
// Each function is one atomic step. Each function locks its message and its resource. The lower key is locked first, so
// that no two calls wait for each other. When the function has the locks, it reads the clock and the rows. If two keys
// have the same hash, they share a lock, so one call waits briefly for the other call.
//
// The functions check that the isolation is READ COMMITTED. With this isolation, each statement reads all data that was
// committed before the statement began. With another isolation, a statement could use a snapshot from before the lock.
// Such a snapshot lacks the claims that were written while the call waited for the lock.
//
// The function names contain a version, because during a rolling deployment two versions of the package share the
// tables. If a function changes, it gets the next version. On first use, the ledger does not replace existing tables
// and functions.

/** If the transaction's isolation is not READ COMMITTED, the functions raise this code. */
export const wrongIsolationState = 'SCIM1'

/**
 * Returns the SQL that creates the tables, indexes and functions of the PostgreSQL ledger. You can run the SQL again at
 * any time. If the account has the rights, the ledger runs the SQL on first use. If the account lacks rights, an
 * administrator must run the SQL before the first use.
 *
 * @param schema The schema of the tables, the same as `@keyv/postgres` uses. @default 'public'
 */
export function postgresLedgerSchema(schema = 'public'): string {
  const statements = Object.values({ ...tables(schema), ...functions(schema) })
  return statements.map((sql) => `${sql}\n`).join('\n')
}

/**
 * Returns the SQL that deletes expired rows of one table, oldest first. The SQL uses the index on the expiry, and skips
 * locked rows.
 */
export function sweepStatement(schema: string, table: string, limit: number): string {
  const name = `${schema}.scalekit_scim_${table}`
  return `WITH swept AS (
  DELETE FROM ${name} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${name} WHERE expires_at <= now() ORDER BY expires_at LIMIT ${limit}
    FOR UPDATE SKIP LOCKED
  )) AND expires_at <= now() RETURNING 1
) SELECT count(*)::int AS answer FROM swept`
}

/**
 * Returns SQL that creates missing tables and functions. The SQL does not change existing tables and functions. To
 * create an index on a table in use, PostgreSQL would wait for the table. An existing function can be an
 * administrator's own version.
 */
export function createMissing(schema: string): string {
  const steps = (find: string, parts: SchemaParts) =>
    Object.entries(parts).map(
      ([name, sql]) =>
        `  IF ${find}('${schema.replaceAll("'", "''")}.${name}') IS NULL THEN EXECUTE $sql$${sql}$sql$; END IF;`,
    )
  const all = [...steps('to_regclass', tables(schema)), ...steps('to_regproc', functions(schema))]
  return `DO $do$ BEGIN\n${all.join('\n')}\nEND $do$`
}

function functions(schema: string): SchemaParts {
  return { ...sharedFunctions(schema), ...claimFunctions(schema), ...settleFunctions(schema) }
}

function tables(schema: string): SchemaParts {
  return {
    scalekit_scim_messages: `CREATE TABLE IF NOT EXISTS ${schema}.scalekit_scim_messages (
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  token text COLLATE "C" NOT NULL,
  done boolean NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, id)
);
CREATE INDEX IF NOT EXISTS scalekit_scim_messages_expiry ON ${schema}.scalekit_scim_messages (expires_at);`,
    scalekit_scim_resources: `CREATE TABLE IF NOT EXISTS ${schema}.scalekit_scim_resources (
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
    scalekit_scim_records: `CREATE TABLE IF NOT EXISTS ${schema}.scalekit_scim_records (
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (namespace, id)
);
CREATE INDEX IF NOT EXISTS scalekit_scim_records_expiry ON ${schema}.scalekit_scim_records (expires_at);`,
  }
}

function sharedFunctions(schema: string): SchemaParts {
  return {
    scalekit_scim_instant_v1: `-- Nanoseconds since 1970 in 19 digits, comparable as text.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_instant_v1(at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $f$
  SELECT lpad((extract(epoch FROM at) * 1000000)::bigint::text || '000', 19, '0')
$f$;`,
    scalekit_scim_expiry_v1: `-- Rounds a long time up to a full hour, so that a row that is written often keeps its place in the index.
CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_expiry_v1(at timestamptz, seconds double precision)
RETURNS timestamptz LANGUAGE sql STABLE AS $f$
  SELECT CASE WHEN seconds < 86400 THEN at + make_interval(secs => seconds)
    ELSE date_trunc('hour', at + make_interval(secs => seconds)) + interval '1 hour' END
$f$;`,
    scalekit_scim_lock_v1: `CREATE OR REPLACE FUNCTION ${schema}.scalekit_scim_lock_v1(in_namespace text, in_message text, in_resource text)
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
  }
}
