/** Returns the result of `read`, or `undefined` if it throws. For objects whose properties can be getters that throw. */
export function readSafely<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
