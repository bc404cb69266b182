export interface ConformanceCheck {
  name: string
  run(): Promise<void>
}
export type ConformanceTools = {}
export function ledgerConformance(_open: unknown): ConformanceCheck[] {
  return []
}
