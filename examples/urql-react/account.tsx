// The signed-in user's account, and data for signed-in users only.
import { SecureDataDocument, ViewerDocument } from 'bandha/documents';
import { useQuery } from 'urql';

export function Account() {
  const [me] = useQuery({ query: ViewerDocument });
  const [secure, reloadSecure] = useQuery({ query: SecureDataDocument });
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
        <button
          type="button"
          aria-disabled={secure.fetching}
          onClick={() => void reloadSecure({ requestPolicy: 'network-only' })}
        >
          {secure.fetching ? 'Loading…' : 'Reload data'}
        </button>
      </section>
    </>
  );
}
