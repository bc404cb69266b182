import { readDatabaseUrl } from './config.ts'
import { migrate } from './migrations.ts'

// `npm run migrate`, for deployments that run migrations in a separate step. The server also runs them when it starts.

try {
  const applied = await migrate(readDatabaseUrl(process.env))
  console.log(`The database is up to date${applied.map((name) => `\n  ran ${name}`).join('')}`)
} catch (error) {
  // Errors of the environment and of PostgreSQL do not contain a password.
  console.error(error instanceof AggregateError ? error.errors[0]?.message : (error as Error).message)
  process.exitCode = 1
}
