/**
 * `true` in `npm run soak`, which runs the tests at their full size. `npm test` runs the same tests with fewer
 * messages.
 */
export const isSoak = process.env.SOAK !== undefined

/** Returns the size of a run: `short` in `npm test`, `long` in the soak. */
export const sized = (short: number, long: number): number => (isSoak ? long : short)
