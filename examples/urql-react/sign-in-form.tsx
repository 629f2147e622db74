// Email and password, to sign in or to make an account.
import { AuthClientError } from 'bandha/client';
import { type SubmitEvent, useState } from 'react';
import { auth } from './auth.ts';

/** In the app's own words, by the reason of the refusal, or its code where it has no reason. */
const PROBLEMS: Record<string, string> = {
  INVALID_CREDENTIALS: 'The email or the password is wrong.',
  EMAIL_TAKEN: 'There is an account with this email already. Sign in instead.',
  WEAK_PASSWORD: 'This password is too weak. Take a longer one, nothing common, nothing of the email.',
  INVALID_EMAIL: 'This is not an email address.',
  RATE_LIMITED: 'Too many attempts. Try again later.',
  NETWORK_ERROR: 'The server cannot be reached. Try again.',
};

export function SignInForm() {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function submit(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    const form = new FormData(event.currentTarget, event.nativeEvent.submitter);
    const verb = form.get('verb') === 'register' ? 'register' : 'login';
    setIsBusy(true);
    setProblem('');
    try {
      await auth[verb]({ email: String(form.get('email')), password: String(form.get('password')) });
    } catch (error) {
      setProblem(nameProblem(error));
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <form aria-label="Sign in" aria-busy={isBusy} onSubmit={(event) => void submit(event)}>
      <label htmlFor="email">Email</label>
      <input
        id="email"
        name="email"
        type="email"
        autoComplete="username"
        required
        aria-describedby="problem"
      />
      <label htmlFor="password">Password</label>
      <input
        id="password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        aria-describedby="hint problem"
      />
      <p id="hint" className="quiet">
        For a new account: 8 characters or more, nothing common, nothing of the email.
      </p>
      <p id="problem" role="alert" className="problem">
        {problem}
      </p>
      <div className="buttons">
        <button type="submit" name="verb" value="login" className="primary" aria-disabled={isBusy}>
          Sign in
        </button>
        <button type="submit" name="verb" value="register" aria-disabled={isBusy}>
          Create account
        </button>
      </div>
    </form>
  );
}

function nameProblem(error: unknown): string {
  if (!(error instanceof AuthClientError)) return 'Something went wrong. Try again.';
  return PROBLEMS[error.reason ?? error.code] ?? error.message;
}
