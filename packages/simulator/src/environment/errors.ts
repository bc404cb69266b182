export type EnvironmentErrorReason = 'not-found' | 'invalid' | 'conflict' | 'directory-disabled'

/** The environment refused a call. The API, SCIM and the console each map the reason to an error of their own. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
  readonly reason: EnvironmentErrorReason

  constructor(reason: EnvironmentErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** @throws EnvironmentError 'invalid' */
export function requireText(name: string, text: string): string {
  if (text.trim() === '') throw new EnvironmentError('invalid', `${name} must not be empty`)
  return text
}
