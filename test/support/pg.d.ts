/** `pg` brings no types; this is what the tests use of it. */
declare module 'pg' {
  export interface QueryResult {
    rows: Record<string, unknown>[]
    rowCount: number | null
  }
  export class Pool {
    constructor(options: { connectionString: string; max?: number; connectionTimeoutMillis?: number })
    query(sql: string, values?: unknown[]): Promise<QueryResult>
    on(event: 'error', listener: (error: Error) => void): this
    end(): Promise<void>
  }
}
