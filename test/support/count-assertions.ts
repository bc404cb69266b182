import { afterEach, expect } from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** The number of `expect` calls of the test. scripts/report.mjs adds these numbers. */
    assertions?: number
  }
}

afterEach(({ task }) => {
  task.meta.assertions = expect.getState().assertionCalls
})
