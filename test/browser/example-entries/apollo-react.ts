// Added to the example's page in tests: sends many queries at once with the app's own client.
import { SecureDataDocument } from 'bandha/documents';
import { apollo } from '../../../examples/apollo-react/apollo.ts';

async function send(): Promise<string> {
  const { data } = await apollo.query({
    query: SecureDataDocument,
    fetchPolicy: 'no-cache',
    context: { queryDeduplication: false },
  });
  return String(data?.secureData?.message);
}

globalThis.sendMany = (times) => Promise.all(Array.from({ length: times }, () => send().catch(String)));
