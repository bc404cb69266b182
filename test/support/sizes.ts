/** True in `npm run soak`: the tests run at their full size. The gate runs the same tests with fewer messages. */
export const isSoak = process.env.SOAK !== undefined

/** The size of a run: `short` in the gate, `long` in the soak. */
export const sized = (short: number, long: number): number => (isSoak ? long : short)
