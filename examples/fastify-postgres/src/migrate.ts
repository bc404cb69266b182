import { readDatabaseUrl } from './config.ts'
import { migrate } from './migrations.ts'

// `npm run migrate` runs this file, for deployments with a separate migration step. At its start, the server also runs
// new migrations.

try {
  const applied = await migrate(readDatabaseUrl(process.env))
  console.log(`The database is up to date${applied.map((name) => `\n  ran ${name}`).join('')}`)
} catch (error) {
  // The message does not contain a password, because it comes from the environment check or from PostgreSQL.
  console.error(error instanceof AggregateError ? error.errors[0]?.message : (error as Error).message)
  process.exitCode = 1
}
