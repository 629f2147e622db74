// Messages for a failed sign-in.
import { AuthClientError } from '../../client/index.ts';

/** By reason, or by code if the error has no reason; replaces the message of the error. */
const TEXTS: Readonly<Record<string, string>> = {
  INVALID_CREDENTIALS: 'Wrong email or password.',
  EMAIL_TAKEN: 'An account with this email already exists. Sign in instead.',
  WEAK_PASSWORD:
    'This password is too weak. Use 8 characters or more, no common password, and nothing from your email.',
  INVALID_EMAIL: 'This is not a valid email address.',
  NETWORK_ERROR: 'The server cannot be reached. Is it running?',
  BAD_ANSWER: 'The server sent an unexpected response. Try again.',
};

export function toErrorMessage(error: unknown): string {
  if (!(error instanceof AuthClientError)) return 'Something went wrong. Try again.';
  const { code, reason, message, retryAfterSeconds } = error;
  if (code === 'RATE_LIMITED') return `Too many attempts. Try again ${formatWait(retryAfterSeconds)}.`;
  return TEXTS[reason ?? code] ?? message;
}

/** Whether the user has to change the email. */
export function isEmailError(error: unknown): boolean {
  const { reason } = error instanceof AuthClientError ? error : {};
  return reason === 'EMAIL_TAKEN' || reason === 'INVALID_EMAIL';
}

function formatWait(seconds: number | undefined): string {
  if (seconds === undefined) return 'later';
  if (seconds < 100) return `in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
