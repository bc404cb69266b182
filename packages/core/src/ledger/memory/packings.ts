import type { Instant } from '../../base/instant.ts'
import type { MessageState, ResourceState } from '../decisions.ts'
import type { Packing } from './packed-map.ts'

/** The state of a resource after its turn. */
export interface AppliedState extends ResourceState {
  untilMs: number
}

/**
 * Creates the packing of done messages. The tokens of a process have one prefix, and end with a number in base 36. A
 * row contains only the number. The first token determines the prefix. Messages whose token has another form do not
 * fit.
 */
export function createDonePacking(): Packing<MessageState> {
  let prefix: string | undefined
  return {
    bytesPerRow: 16,
    pack(rows, at, { token, done, untilMs }) {
      const start = prefix ?? token.slice(0, token.lastIndexOf('.') + 1)
      const digits = token.slice(start.length)
      const sequence = Number.parseInt(digits, 36)
      if (!done || !token.startsWith(start) || sequence.toString(36) !== digits) return false
      prefix = start
      rows.setFloat64(at, untilMs)
      rows.setFloat64(at + 8, sequence)
      return true
    },
    unpack(rows, at) {
      const token = `${prefix}${rows.getFloat64(at + 8).toString(36)}`
      return { token, done: true, untilMs: rows.getFloat64(at) }
    },
  }
}

/** Row kinds. If no event was applied to the resource, the row contains only the fence. */
const unapplied = 0
const applied = 1
const deleted = 2

/** The packing of resources. A resource does not fit if it has a turn, or a time that is not 19 digits. */
export const appliedPacking: Packing<AppliedState> = {
  bytesPerRow: 33,
  pack(rows, at, { fence, untilMs, watermark, appliedAt, tombstone, turn }) {
    if (turn) return false
    if (watermark === undefined) {
      if (appliedAt !== undefined || tombstone !== undefined) return false
      rows.setUint8(at + 32, unapplied)
    } else {
      if (!isInstant(watermark) || !isInstant(appliedAt) || tombstone === undefined) return false
      rows.setUint8(at + 32, tombstone ? deleted : applied)
      rows.setBigUint64(at + 16, BigInt(watermark))
      rows.setBigUint64(at + 24, BigInt(appliedAt))
    }
    rows.setFloat64(at, fence)
    rows.setFloat64(at + 8, untilMs)
    return true
  },
  unpack(rows, at) {
    const stored = { fence: rows.getFloat64(at), untilMs: rows.getFloat64(at + 8) }
    const kind = rows.getUint8(at + 32)
    if (kind === unapplied) return stored
    return {
      ...stored,
      watermark: instantAt(rows, at + 16),
      appliedAt: instantAt(rows, at + 24),
      tombstone: kind === deleted,
    }
  },
}

/** Ledgers accept any text as a time. Only 19 digits are equal after `BigInt` and `toString`. */
function isInstant(text: Instant | undefined): text is Instant {
  return text !== undefined && /^\d{19}$/.test(text)
}

function instantAt(rows: DataView, at: number): Instant {
  return rows.getBigUint64(at).toString().padStart(19, '0')
}
