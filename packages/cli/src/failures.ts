/** The exit codes do not change between versions, so that scripts can use them. */
export const exitCodes = { good: 0, refused: 1, usage: 2, noConnection: 3, interrupted: 130 } as const

/** An error that the user can fix, with a message of one line and an exit code. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

export function refused(message: string): Failure {
  return new Failure(message, exitCodes.refused)
}

export function wrongUsage(message: string): Failure {
  return new Failure(message, exitCodes.usage)
}

export function noConnection(address: string, detail: string): Failure {
  const [, hint] = hints.find(([pattern]) => pattern.test(detail)) ?? [undefined, defaultHint]
  return new Failure(`Could not connect to ${address} (${detail}). ${hint}`, exitCodes.noConnection)
}

/**
 * Returns the error's code. Without a code, returns the message. A code is short, and does not contain an address. If
 * Node tried several addresses of a name, the message is empty.
 */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

const defaultHint = 'Check that the application is running at this address.'

/** The hint for each of Node's error codes. */
const hints: [RegExp, string][] = [
  [
    /SELF_SIGNED|ISSUER_CERT|LEAF_SIGNATURE|CERT_UNTRUSTED/,
    'This machine does not trust the certificate of the server. Set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of its issuer. For a self-signed certificate, use the certificate itself.',
  ],
  [/ALTNAME/, 'The certificate is for another name. Use the name in the certificate.'],
  [/^CERT_/, 'The certificate is not valid now. Renew the certificate, and check the clocks.'],
  [/^(EPROTO|ERR_SSL)/, 'TLS failed. If the server does not use TLS, give an http address.'],
]
