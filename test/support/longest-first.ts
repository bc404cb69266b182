import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The files that start servers, browsers, compilers or many processes, the longest first. */
export const slowFiles = [
  'chaos/crash.test.ts',
  'sync/convergence.test.ts',
  'chaos/faults.test.ts',
  'chaos/order.test.ts',
  'chaos/race.test.ts',
  'linearizability/drivers.test.ts',
  'linearizability/driver-faults.test.ts',
  'linearizability/redis-replies.test.ts',
  'ledger/redis-failover.test.ts',
  'packaging/packaging.test.ts',
  'packaging/toolchains.test.ts',
  'packaging/examples.test.ts',
  'packaging/cli.test.ts',
  'ledger/redis-faults.test.ts',
  'ledger/postgres-failover.test.ts',
  'ledger/mysql-failover.test.ts',
  'ledger/postgres-faults.test.ts',
  'ledger/postgres-versions.test.ts',
  'ledger/postgres.test.ts',
  'ledger/mysql.test.ts',
  'ledger/redis.test.ts',
  'ledger/sqlite.test.ts',
  'ledger/store-trouble.test.ts',
  'ledger/conformance.test.ts',
  'sync/deletion-histories.test.ts',
  'sync/one-pass.test.ts',
  'sync/no-harm.test.ts',
  'sync/no-harm-through-the-sdk.test.ts',
  'sync/through-the-sdk.test.ts',
  'simulator/scim-external-id.test.ts',
  'simulator/console.test.ts',
  'simulator/pages-layout.test.ts',
  'simulator/scim-clearing.test.ts',
  'simulator/scim-filters.test.ts',
  'simulator/api-faults.test.ts',
  'simulator/scim-model.test.ts',
  'cli/doctor.test.ts',
  'cli/doctor-mistakes.test.ts',
  'cli/doctor-examples.test.ts',
  'cli/simulate.test.ts',
  'cli/command-line.test.ts',
  'contract/body-pieces.test.ts',
  'contract/process-end.test.ts',
  'docs/site.test.ts',
  'docs/code-blocks.test.ts',
  'docs/tables.test.ts',
  'docs/express-on-redis.test.ts',
  'docs/guard-sql.test.ts',
  'docs/quick-start.test.ts',
  'types/types.test.ts',
  'types/api-report.test.ts',
  'verification/properties.test.ts',
  'unit/unexpected-fields.test.ts',
]

/** Starts the slow files first, so that no worker runs a long file alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = slowFiles.findIndex((file) => moduleId.endsWith(`/test/${file}`))
      return index < 0 ? slowFiles.length : index
    }
    return files.toSorted((a, b) => rank(a) - rank(b))
  }
}
