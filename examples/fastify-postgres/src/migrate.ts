import { readDatabaseUrl } from './config.ts'
import { migrate } from './migrations.ts'

// `npm run migrate`, for a deployment that migrates before it starts anything. The server does the same at its start.

try {
  const applied = await migrate(readDatabaseUrl(process.env))
  console.log(`The database is up to date${applied.map((name) => `\n  ran ${name}`).join('')}`)
} catch (error) {
  // Neither the environment's errors nor PostgreSQL's hold a password.
  console.error(error instanceof AggregateError ? error.errors[0]?.message : (error as Error).message)
  process.exitCode = 1
}
