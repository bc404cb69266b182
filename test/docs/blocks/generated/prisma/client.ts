/**
 * The part of a generated Prisma client that the guide to the database guard uses. `prisma generate` needs an engine from
 * the network, so the blocks compile against this.
 */
export interface PrismaClient {
  /** Sends each value as a parameter. Resolves with the number of changed rows. */
  $executeRaw(parts: TemplateStringsArray, ...values: unknown[]): Promise<number>
}
