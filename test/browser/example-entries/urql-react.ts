// Added to the page of the example in tests: sends many queries at once with a client as the app makes it.
import { createUrqlClient } from '../../../examples/urql-react/urql.ts';

globalThis.sendMany = (times) => {
  const urql = createUrqlClient();
  return Promise.all(
    Array.from({ length: times }, async (_, index) => {
      // urql runs equal queries once, so each has a name of its own.
      const query = `query Q${index} { secureData { message } }`;
      const { data, error } = await urql.query(query, {}).toPromise();
      return error ? String(error) : String(data.secureData.message);
    }),
  );
};
