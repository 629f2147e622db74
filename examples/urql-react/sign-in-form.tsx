// The form to sign in or create an account.
import { AuthClientError } from 'bandha/client';
import { type SubmitEvent, useState } from 'react';
import { auth } from './auth.ts';

/** Messages by reason of the error, or by its code if it has no reason. */
const MESSAGES: Record<string, string> = {
  INVALID_CREDENTIALS: 'Wrong email or password.',
  EMAIL_TAKEN: 'An account with this email already exists. Sign in instead.',
  WEAK_PASSWORD:
    'This password is too weak. Use a longer one, no common password, and nothing from your email.',
  INVALID_EMAIL: 'This is not a valid email address.',
  RATE_LIMITED: 'Too many attempts. Try again later.',
  NETWORK_ERROR: 'The server cannot be reached. Try again.',
};

export function SignInForm() {
  const [isBusy, setIsBusy] = useState(false);
  const [message, setMessage] = useState('');

  async function submit(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    const form = new FormData(event.currentTarget, event.nativeEvent.submitter);
    const intent = form.get('intent') === 'register' ? 'register' : 'login';
    setIsBusy(true);
    setMessage('');
    try {
      await auth[intent]({ email: String(form.get('email')), password: String(form.get('password')) });
    } catch (error) {
      setMessage(toMessage(error));
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <form aria-label="Sign in" aria-busy={isBusy} onSubmit={(event) => void submit(event)}>
      <label htmlFor="email">Email</label>
      <input id="email" name="email" type="email" autoComplete="username" required aria-describedby="error" />
      <label htmlFor="password">Password</label>
      <input
        id="password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        aria-describedby="hint error"
      />
      <p id="hint" className="quiet">
        New accounts: 8 characters or more, no common password, nothing from your email.
      </p>
      <p id="error" role="alert" className="error">
        {message}
      </p>
      <div className="buttons">
        <button type="submit" name="intent" value="login" className="primary" aria-disabled={isBusy}>
          Sign in
        </button>
        <button type="submit" name="intent" value="register" aria-disabled={isBusy}>
          Create account
        </button>
      </div>
    </form>
  );
}

function toMessage(error: unknown): string {
  if (!(error instanceof AuthClientError)) return 'Something went wrong. Try again.';
  return MESSAGES[error.reason ?? error.code] ?? error.message;
}
