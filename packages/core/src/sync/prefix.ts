/** What an id begins with, up to and including its first underscore: `diruser_`. Empty for an id without one. */
export function prefixOf(id: string): string {
  return id.slice(0, id.indexOf('_') + 1)
}
