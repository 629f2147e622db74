// Email and password: to sign in, to make an account, or to prove anew who one is.
import { Button } from '@graphiql/react';
import { type FormEvent, useRef, useState } from 'react';
import { usePage } from '../page-state.ts';
import { isEmailError, toErrorMessage } from './error-message.ts';

type Action = 'login' | 'register';

export interface SignInFormProps {
  /** Who is to prove that it is still them; absent: anybody. */
  email?: string | undefined;
  onSignedIn(): void;
}

export function SignInForm({ email: known, onSignedIn }: SignInFormProps) {
  const { client, canRegister, stay } = usePage();
  const emailField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const stayField = useRef<HTMLInputElement>(null);
  const isBusy = useRef(false);
  const [busy, setBusy] = useState<Action>();
  const [problem, setProblem] = useState('');

  function fail(text: string, field: HTMLInputElement | null): void {
    setProblem(text);
    field?.focus();
  }

  async function submit(action: Action): Promise<void> {
    if (isBusy.current) return;
    const email = known ?? emailField.current?.value.trim() ?? '';
    const password = passwordField.current?.value ?? '';
    if (email === '') return fail('Enter an email address.', emailField.current);
    if (password === '') return fail('Enter a password.', passwordField.current);
    isBusy.current = true;
    setBusy(action);
    setProblem('');
    const before = stay.isChosen();
    stay.choose(stayField.current?.checked ?? before);
    try {
      await client[action]({ email, password });
      onSignedIn();
    } catch (error) {
      stay.choose(before);
      fail(toErrorMessage(error), isEmailError(error) ? emailField.current : passwordField.current);
    } finally {
      isBusy.current = false;
      setBusy(undefined);
    }
  }

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    void submit('login');
  }

  const described = problem === '' ? undefined : 'bandha-problem';
  return (
    <form
      className="bandha-form"
      aria-label="Sign in"
      aria-busy={busy !== undefined}
      noValidate
      onSubmit={onSubmit}
    >
      <label htmlFor="bandha-email">Email</label>
      <input
        id="bandha-email"
        ref={emailField}
        type="email"
        name="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        defaultValue={known}
        readOnly={known !== undefined}
        aria-describedby={described}
      />
      <label htmlFor="bandha-password">Password</label>
      <input
        id="bandha-password"
        ref={passwordField}
        type="password"
        name="password"
        autoComplete="current-password"
        required
        aria-describedby={described}
      />
      {known === undefined && (
        <label className="bandha-stay">
          <input ref={stayField} type="checkbox" name="stay" defaultChecked={stay.isChosen()} />
          Stay signed in on this device
        </label>
      )}
      <p role="alert" id="bandha-problem" className="bandha-problem">
        {problem}
      </p>
      <div className="bandha-actions">
        <Button type="submit" className="bandha-primary" aria-disabled={busy !== undefined}>
          {busy === 'login' ? 'Signing in…' : 'Sign in'}
        </Button>
        {canRegister && known === undefined && (
          <Button type="button" aria-disabled={busy !== undefined} onClick={() => void submit('register')}>
            {busy === 'register' ? 'Creating…' : 'Create account'}
          </Button>
        )}
      </div>
      {canRegister && known === undefined && (
        <p className="bandha-quiet">
          New here? Choose a password of 8 characters or more, and press Create account.
        </p>
      )}
    </form>
  );
}
