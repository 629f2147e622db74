// Why a sign-in failed, in words for whoever tries.
import { AuthClientError } from '../../client/index.ts';

/** Where the client's own message is not the best one to show. */
const TEXTS: Readonly<Record<string, string>> = {
  INVALID_CREDENTIALS: 'The email or the password is wrong.',
  EMAIL_TAKEN: 'There is an account with this email already. Sign in instead.',
  WEAK_PASSWORD:
    'This password is too weak: take 8 characters or more, nothing common, nothing of the email.',
  INVALID_EMAIL: 'This is not an email address.',
  NETWORK_ERROR: 'The server cannot be reached. Is it running?',
  BAD_ANSWER: 'The server gave no usable answer. Try again.',
};

export function toErrorMessage(error: unknown): string {
  if (!(error instanceof AuthClientError)) return 'Something went wrong. Try again.';
  const { code, reason, message, retryAfterSeconds } = error;
  if (code === 'RATE_LIMITED') return `Too many tries. Try again ${nameWait(retryAfterSeconds)}.`;
  return TEXTS[reason ?? code] ?? message;
}

/** Whether it is the email that has to be another one. */
export function isEmailError(error: unknown): boolean {
  const { reason } = error instanceof AuthClientError ? error : {};
  return reason === 'EMAIL_TAKEN' || reason === 'INVALID_EMAIL';
}

function nameWait(seconds: number | undefined): string {
  if (seconds === undefined) return 'later';
  if (seconds < 100) return `in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
