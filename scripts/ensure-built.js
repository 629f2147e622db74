// Builds the GraphiQL page if it is missing or its sources have changed.
import { buildGraphiql, isBuilt } from './build-graphiql.js';

if (!isBuilt()) {
  console.error('Building GraphiQL. This takes a few seconds, once.');
  if (!buildGraphiql()) {
    console.error('Building GraphiQL failed; see the errors above.');
    process.exit(1);
  }
}
