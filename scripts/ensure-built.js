// Builds GraphiQL's page where it is missing or its sources have changed; does nothing when all is in place.
import { buildGraphiql, isBuilt } from './build-graphiql.js';

if (!isBuilt()) {
  console.error('Building GraphiQL. This takes some seconds, once.');
  if (!buildGraphiql()) {
    console.error('GraphiQL could not be built; see above.');
    process.exit(1);
  }
}
