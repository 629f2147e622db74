// Of the checkout; see there for what an app of one's own does without.
import { configureExample } from '../vite-config.ts';

export default configureExample('apollo-react', 5173);
