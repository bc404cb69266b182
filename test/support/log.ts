import type { Logger } from '@scalekit-scim/core'

export interface LogLine {
  level: keyof Logger
  message: string
  fields: Record<string, unknown>
}

/** A logger that stores its lines. */
export function recordingLogger(): Logger & { lines: LogLine[]; text(): string } {
  const lines: LogLine[] = []
  const write = (level: keyof Logger) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: fields as Record<string, unknown> })
  return {
    lines,
    text: () => JSON.stringify(lines),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}
