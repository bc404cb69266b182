/**
 * - fair: changes, lost webhooks and failing handlers, but neither crashes nor wrong answers of the API.
 * - storm: also crashes, pauses, closed processes, and a store and an API that are away.
 * - misuse: `known` also yields the application's own users, and sometimes leaves fields out.
 * - lies: for some time, a wrong filter hides users, or the list of directories is incomplete.
 * - rejoin: users leave, often without a webhook, and soon come back. Passes follow each other closely.
 * - race: changes happen while a page is read, and webhooks are fast. Each pass is full.
 */
export const flavours = ['fair', 'storm', 'misuse', 'lies', 'rejoin', 'race'] as const
export type Flavour = (typeof flavours)[number]
