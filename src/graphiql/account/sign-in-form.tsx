// The form to sign in, create an account or reauthenticate.
import { Button } from '@graphiql/react';
import { type FormEvent, useRef, useState } from 'react';
import { usePage } from '../page-state.ts';
import { isEmailError, toErrorMessage } from './error-message.ts';

type Action = 'login' | 'register';

export interface SignInFormProps {
  /** Email of the user who reauthenticates; undefined: any user may sign in. */
  email?: string | undefined;
  onSignedIn(): void;
}

export function SignInForm({ email: fixedEmail, onSignedIn }: SignInFormProps) {
  const { client, canRegister, stay } = usePage();
  const emailField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const stayField = useRef<HTMLInputElement>(null);
  const isBusy = useRef(false);
  const [busy, setBusy] = useState<Action>();
  const [errorText, setErrorText] = useState('');

  function fail(text: string, field: HTMLInputElement | null): void {
    setErrorText(text);
    field?.focus();
  }

  async function submit(action: Action): Promise<void> {
    if (isBusy.current) return;
    const email = fixedEmail ?? emailField.current?.value.trim() ?? '';
    const password = passwordField.current?.value ?? '';
    if (email === '') return fail('Enter an email address.', emailField.current);
    if (password === '') return fail('Enter a password.', passwordField.current);
    isBusy.current = true;
    setBusy(action);
    setErrorText('');
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

  const describedBy = errorText === '' ? undefined : 'bandha-error';
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
        defaultValue={fixedEmail}
        readOnly={fixedEmail !== undefined}
        aria-describedby={describedBy}
      />
      <label htmlFor="bandha-password">Password</label>
      <input
        id="bandha-password"
        ref={passwordField}
        type="password"
        name="password"
        autoComplete="current-password"
        required
        aria-describedby={describedBy}
      />
      {fixedEmail === undefined && (
        <label className="bandha-stay">
          <input ref={stayField} type="checkbox" name="stay" defaultChecked={stay.isChosen()} />
          Stay signed in on this device
        </label>
      )}
      <p role="alert" id="bandha-error" className="bandha-error">
        {errorText}
      </p>
      <div className="bandha-actions">
        <Button type="submit" className="bandha-primary" aria-disabled={busy !== undefined}>
          {busy === 'login' ? 'Signing in…' : 'Sign in'}
        </Button>
        {canRegister && fixedEmail === undefined && (
          <Button type="button" aria-disabled={busy !== undefined} onClick={() => void submit('register')}>
            {busy === 'register' ? 'Creating…' : 'Create account'}
          </Button>
        )}
      </div>
      {canRegister && fixedEmail === undefined && (
        <p className="bandha-quiet">
          No account yet? Enter a password of 8 characters or more and select Create account.
        </p>
      )}
    </form>
  );
}
