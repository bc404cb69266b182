#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCodes, Failure } from './failures.ts'
import { createProgram } from './program.ts'
import { complain } from './terminal.ts'

// In `scalekit-scim doctor … | head`, the next command can close the pipe. The error ends the process.
process.stdout.on('error', () => process.exit(exitCodes.refused))
process.stderr.on('error', () => {})
try {
  await createProgram().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has already printed the error. Commander's exit code for help and version is 0.
    process.exitCode = error.exitCode === 0 ? exitCodes.good : exitCodes.usage
  } else if (error instanceof Failure) {
    complain(error.message)
    process.exitCode = error.exitCode
  } else {
    throw error
  }
}
