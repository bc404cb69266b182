import { create } from '@bufbuild/protobuf'
import type { Violation } from '@bufbuild/protovalidate'
import { Code, ConnectError } from '@connectrpc/connect'
import { ErrorInfoSchema } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/errdetails/errdetails_pb.js'
import { EnvironmentError, type EnvironmentErrorReason } from '../environment/errors.ts'

const codes: Record<EnvironmentErrorReason, Code> = {
  'not-found': Code.NotFound,
  invalid: Code.InvalidArgument,
  conflict: Code.AlreadyExists,
  'directory-disabled': Code.FailedPrecondition,
}

/** Maps an EnvironmentError to an error of the API. Returns any other error unchanged. */
export function asConnectError(error: unknown): unknown {
  return error instanceof EnvironmentError ? new ConnectError(error.message, codes[error.reason]) : error
}

export function invalidArgument(violations: readonly Violation[]): ConnectError {
  const fieldViolations = violations.map(({ field, message, ruleId }) => ({
    field: field.map((step) => ('name' in step ? step.name : '')).join('.'),
    description: message,
    constraint: ruleId,
  }))
  const details = {
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { validationErrorInfo: { fieldViolations } }),
  }
  return new ConnectError(violations.map(String).join('; '), Code.InvalidArgument, undefined, [details])
}
