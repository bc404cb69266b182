#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCodes, Failure } from './failures.ts'
import { createProgram } from './program.ts'
import { complain } from './terminal.ts'

process.exitCode = await run(process.argv.slice(2))

/** Runs one command line, and returns its exit code. */
async function run(args: readonly string[]): Promise<number> {
  // Exits when the reader closes the pipe, as in `scalekit-scim doctor … | head`.
  process.stdout.on('error', () => process.exit(exitCodes.refused))
  process.stderr.on('error', () => {})
  let exitCode: number = exitCodes.good
  const program = createProgram((code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has already printed the error. Its exit code for help and version is 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.usage
    if (!(error instanceof Failure)) throw error
    complain(error.message)
    return error.exitCode
  }
}
