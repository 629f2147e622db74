// Tests of an app's schema, run as any user. Package entry `bandha/testing`.
import '../utils/node-version.ts';

export { type AuthMatchers, authMatchers } from './auth-matchers.ts';
export type { TestClock } from './clock.ts';
export type { PrincipalSpec } from './create-principal.ts';
export {
  createTestKit,
  type TestedSchema,
  type TestKit,
  type TestKitOptions,
  type TokenCondition,
} from './create-test-kit.ts';
export type { Anything, ExecuteArguments, TestDocument } from './documents.ts';
export type { Matrices, MatrixOperation, MatrixPrincipal } from './matrix.ts';
export type { DenialReason, Denied, ResponseBody, TestResult } from './result.ts';
export type { TestSubscription, TestUser } from './test-user.ts';
