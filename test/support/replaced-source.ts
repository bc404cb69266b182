import { registerHooks } from 'node:module'

/** A fault in a source file. */
export interface Replacement {
  /** Must occur once in the file. */
  from: string
  to: string
}

/** Changes one source file when it is loaded. Nothing on disk changes. */
export function replaceInSource(name: string, file: URL, replacements: readonly Replacement[]): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (url !== file.href) return loaded
      let text = String(loaded.source)
      for (const { from, to } of replacements) {
        if (text.split(from).length !== 2) {
          throw new Error(
            `the mutant '${name}' does not apply: ${file.pathname} must have this text once: ${from}`,
          )
        }
        text = text.replace(from, () => to)
      }
      return { ...loaded, source: text }
    },
  })
}
