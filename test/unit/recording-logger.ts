import type { Logger } from '@scalekit-scim/core'

export interface Line {
  level: keyof Logger
  fields: object
  message: string
}

/** Creates a logger that stores its lines. */
export function recordingLogger(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = []
  const write = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields, message })
  }
  return {
    logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    lines,
  }
}
