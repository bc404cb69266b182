/** What a script can go by. */
export const exitCodes = { good: 0, refused: 1, usage: 2, noConnection: 3, interrupted: 130 } as const

/** Something that whoever typed the command can fix: one line, and an exit code. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

export function wrongUsage(message: string): Failure {
  return new Failure(message, exitCodes.usage)
}

export function noConnection(address: string, detail: string): Failure {
  const [, hint] = hints.find(([pattern]) => pattern.test(detail)) ?? [undefined, defaultHint]
  return new Failure(`Could not connect to ${address} (${detail}). ${hint}`, exitCodes.noConnection)
}

const defaultHint = 'Is the application running, and is that its address?'

/** By the code of Node's error. */
const hints: [RegExp, string][] = [
  [
    /SELF_SIGNED|ISSUER_CERT|LEAF_SIGNATURE|CERT_UNTRUSTED/,
    'Its certificate is not trusted here: set NODE_EXTRA_CA_CERTS to a PEM file with the certificate that signed it, or with its own where it is self-signed.',
  ],
  [/ALTNAME/, 'Its certificate is for another name: give the one that it was issued for.'],
  [/^CERT_/, 'Its certificate is not valid now: renew it, and mind the clocks.'],
  [/^(EPROTO|ERR_SSL)/, 'TLS failed: is it an http address, not https?'],
]
