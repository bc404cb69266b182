/** Makes a property throw when our own code reads it, and nobody else: Node and the frameworks read the request too. */
export function throwForUs(request: object, name: string): void {
  const value: unknown = Reflect.get(request, name)
  Object.defineProperty(request, name, {
    get() {
      if (/packages.(core|express|fastify).src/.test(new Error().stack ?? ''))
        throw new Error(`no ${name} here`)
      return value
    },
    // Express writes `params` and `baseUrl` to it.
    set() {},
    configurable: true,
  })
}
