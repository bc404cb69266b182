/**
 * Makes a property throw when our own code reads it. It does not throw for Node and the frameworks, which also read the
 * request.
 */
export function throwForUs(request: object, name: string): void {
  const value: unknown = Reflect.get(request, name)
  Object.defineProperty(request, name, {
    get() {
      if (/packages.(core|express|fastify).src/.test(new Error().stack ?? ''))
        throw new Error(`no ${name} here`)
      return value
    },
    // Express writes the properties `params` and `baseUrl`.
    set() {},
    configurable: true,
  })
}
