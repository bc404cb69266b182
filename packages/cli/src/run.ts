import { CommanderError } from 'commander'
import { exitCodes, Failure } from './failures.ts'
import { createProgram } from './program.ts'
import { complain } from './terminal.ts'

/** Runs one command line, and gives its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  // Whoever was reading has gone: `scalekit-scim doctor … | head`, say.
  process.stdout.on('error', () => process.exit(exitCodes.refused))
  // Then the exit code says it alone.
  process.stderr.on('error', () => {})
  let exitCode: number = exitCodes.good
  const program = createProgram((code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said it already; its own code for help and version is 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage
    if (!(error instanceof Failure)) throw error
    complain(error.message)
    return error.exitCode
  }
}
