// Who is signed in, by the server's account, and what only they get.
import { useQuery } from '@apollo/client/react';
import { SecureDataDocument, ViewerDocument } from 'bandha/documents';

export function Account() {
  const me = useQuery(ViewerDocument);
  const secure = useQuery(SecureDataDocument);
  return (
    <>
      <section aria-labelledby="account">
        <h2 id="account">Who am I</h2>
        {me.error && (
          <p role="alert" className="problem">
            {me.error.message}
          </p>
        )}
        {me.data?.viewer && (
          <dl>
            <dt>Email</dt>
            <dd>{me.data.viewer.email}</dd>
            <dt>Roles</dt>
            <dd>{me.data.viewer.roles.join(', ') || 'none'}</dd>
            <dt>Since</dt>
            <dd>{new Date(me.data.viewer.createdAt).toLocaleString()}</dd>
          </dl>
        )}
      </section>
      <section aria-labelledby="secure">
        <h2 id="secure">Secure data</h2>
        {secure.error && (
          <p role="alert" className="problem">
            {secure.error.message}
          </p>
        )}
        {secure.data?.secureData && <p>{secure.data.secureData.message}</p>}
        <button type="button" aria-disabled={secure.loading} onClick={() => void secure.refetch()}>
          {secure.loading ? 'Asking…' : 'Ask again'}
        </button>
      </section>
    </>
  );
}
