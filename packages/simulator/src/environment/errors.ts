export type EnvironmentErrorReason = 'not-found' | 'invalid' | 'conflict' | 'directory-disabled'

/** A change or a question that the environment cannot take: the API, SCIM and the console each say it in their way. */
export class EnvironmentError extends Error {
  readonly reason: EnvironmentErrorReason

  constructor(reason: EnvironmentErrorReason, message: string) {
    super(message)
    this.name = 'EnvironmentError'
    this.reason = reason
  }
}

/** @throws EnvironmentError 'invalid' */
export function nonEmpty(name: string, text: string): string {
  if (text.trim() === '') throw new EnvironmentError('invalid', `${name} must not be empty`)
  return text
}
