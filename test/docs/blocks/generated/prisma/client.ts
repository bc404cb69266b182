/**
 * The part of a generated Prisma client that the guide to the database guard uses. `prisma generate` downloads an
 * engine, so the blocks compile against this file instead.
 */
export interface PrismaClient {
  /** Sends each value as a parameter. Resolves with the number of changed rows. */
  $executeRaw(parts: TemplateStringsArray, ...values: unknown[]): Promise<number>
}
