// Added to the example's page in tests: sends many queries at once with a client created by the app's own function.
import { createUrqlClient } from '../../../examples/urql-react/urql.ts';

globalThis.sendMany = (times) => {
  const urql = createUrqlClient();
  return Promise.all(
    Array.from({ length: times }, async (_, index) => {
      // Each query has another name, because urql deduplicates equal queries.
      const query = `query Q${index} { secureData { message } }`;
      const { data, error } = await urql.query(query, {}).toPromise();
      return error ? String(error) : String(data.secureData.message);
    }),
  );
};
