// The signed-in user's account, and data for signed-in users only.
import { useQuery } from '@apollo/client/react';
import { SecureDataDocument, ViewerDocument } from 'bandha/documents';

export function Account() {
  const me = useQuery(ViewerDocument);
  const secure = useQuery(SecureDataDocument);
  return (
    <>
      <section aria-labelledby="account">
        <h2 id="account">Account</h2>
        {me.error && (
          <p role="alert" className="error">
            {me.error.message}
          </p>
        )}
        {me.data?.viewer && (
          <dl>
            <dt>Email</dt>
            <dd>{me.data.viewer.email}</dd>
            <dt>Roles</dt>
            <dd>{me.data.viewer.roles.join(', ') || 'none'}</dd>
            <dt>Registered</dt>
            <dd>{new Date(me.data.viewer.createdAt).toLocaleString()}</dd>
          </dl>
        )}
      </section>
      <section aria-labelledby="secure">
        <h2 id="secure">Secure data</h2>
        {secure.error && (
          <p role="alert" className="error">
            {secure.error.message}
          </p>
        )}
        {secure.data?.secureData && <p>{secure.data.secureData.message}</p>}
        <button type="button" aria-disabled={secure.loading} onClick={() => void secure.refetch()}>
          {secure.loading ? 'Loading…' : 'Reload data'}
        </button>
      </section>
    </>
  );
}
