// Of the checkout; see there for what an app of one's own does without.
import { configureExample } from '../vite-config.ts';

export default configureExample('urql-react', 5174);
