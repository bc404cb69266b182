/** What a script can go by. */
export const exitCodes = { good: 0, refused: 1, usage: 2, noConnection: 3, interrupted: 130 } as const

/** Something that whoever typed the command can mend: one line, and an exit code. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

export function wrongUsage(message: string): Failure {
  return new Failure(message, exitCodes.usage)
}

export function noConnection(address: string, detail: string): Failure {
  return new Failure(
    `Could not connect to ${address} (${detail}). Is the application running, and is that its address?`,
    exitCodes.noConnection,
  )
}
