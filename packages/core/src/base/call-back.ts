/** Calls a function of the application. Ignores what it throws or rejects with. */
export function callBack<Arguments extends unknown[]>(
  callback: ((...args: Arguments) => unknown) | undefined,
  ...args: Arguments
): void {
  try {
    ignoreRejection(callback?.(...args))
  } catch {}
}

/** Keeps a promise of the application that rejects from ending the process. */
export function ignoreRejection(returned: unknown): void {
  if (typeof returned !== 'object' || returned === null || !('then' in returned)) return
  Promise.resolve(returned).catch(() => {})
}

/** Calls a function of the application that should return a promise. If it throws, the promise rejects. */
export async function callAsync<Result>(call: () => Result | Promise<Result>): Promise<Result> {
  return call()
}
