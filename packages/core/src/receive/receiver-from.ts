import { ConfigurationError } from '../base/errors.ts'
import { requireKnownNames } from '../config/option-checks.ts'
import { type ReceiverOptions, receiverOptionNames } from '../config/options.ts'
import { createReceiver, type Receiver } from './receiver.ts'

/** The options that the Express and Fastify adapters share. */
export interface AdapterOptions extends ReceiverOptions {
  /**
   * A receiver from `createReceiver`, to share between several mounts. Receiver options cannot be combined with a
   * shared receiver: pass them to `createReceiver`. You must close a shared receiver yourself.
   */
  receiver?: Receiver | undefined
}

/**
 * Returns the shared receiver. If `shared` is `undefined`, returns a new receiver. For adapters.
 * @param adapterOptionNames The names of the adapter's own options. The error for a misspelt option can suggest these
 *   names.
 * @throws ConfigurationError if a shared receiver is combined with options, or an option is unknown
 */
export function receiverFrom(
  shared: Receiver | undefined,
  options: ReceiverOptions,
  adapterOptionNames: readonly string[] = [],
): Receiver {
  requireKnownNames(options, [...receiverOptionNames, ...adapterOptionNames])
  if (shared === undefined) return createReceiver(options)
  const option = Object.entries(options).find(([, value]) => value !== undefined)?.[0]
  if (option === undefined && typeof shared.receive === 'function') return shared
  throw new ConfigurationError(
    'ERR_SCIM_RECEIVER_OPTIONS',
    option === undefined
      ? '`receiver` must be a receiver that `createReceiver` has returned.'
      : `\`${option}\` cannot be combined with \`receiver\`. Pass it to \`createReceiver\`.`,
    option ?? 'receiver',
  )
}
