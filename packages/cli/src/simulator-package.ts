import manifest from '../package.json' with { type: 'json' }
import { exitCodes, Failure } from './failures.ts'

export type SimulatorPackage = typeof import('@scalekit-scim/simulator')

const packageName = '@scalekit-scim/simulator'

/** Loads the simulator, which the application may have installed. @throws Failure if it is missing */
export async function loadSimulator(): Promise<SimulatorPackage> {
  try {
    return await import('@scalekit-scim/simulator')
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new Failure(
      `simulate needs ${packageName}, which is not installed. Run npm install -D ${packageName}@${manifest.version}.`,
      exitCodes.refused,
    )
  }
}

/**
 * Returns whether the simulator itself is missing. If a dependency of the simulator is missing, the message quotes the
 * dependency, and names the simulator only in a path.
 */
function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${packageName}'`)
  )
}
