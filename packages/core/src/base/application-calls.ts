/**
 * Calls a function of the application. Ignores errors that the function throws, and rejections of the promise that it
 * returns.
 */
export function callBack<Arguments extends unknown[]>(
  callback: ((...args: Arguments) => unknown) | undefined,
  ...args: Arguments
): void {
  try {
    ignoreRejection(callback?.(...args))
  } catch {}
}

/** Ignores the rejection of an application's promise. An unhandled rejection would end the process. */
export function ignoreRejection(returned: unknown): void {
  if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
  Promise.resolve(returned).catch(() => {})
}

/**
 * Calls an application's function that should return a promise. If the function throws, the returned promise rejects.
 */
export function callAsync<Result>(call: () => Result | Promise<Result>): Promise<Result> {
  try {
    return Promise.resolve(call())
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * Returns the result of `read`. If `read` throws, for example because a property is a getter that throws, returns
 * `undefined`.
 */
export function readSafely<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
