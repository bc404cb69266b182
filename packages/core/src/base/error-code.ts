/** The `code` of an error, such as Node's `'ENOENT'`. */
export function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
