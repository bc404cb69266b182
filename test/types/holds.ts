/** Whether two types are the same, including `any` and optional fields. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless its type is `true`. */
export function holds<_Condition extends true>(): void {}

// The two types above must not accept everything.
// @ts-expect-error any is not a string
// biome-ignore lint/suspicious/noExplicitAny: any is what is told apart here
holds<Equal<any, string>>()
// @ts-expect-error an optional field is not a field
holds<Equal<{ a?: string }, { a: string }>>()
