// Vite configuration inside this repository; vite-config.ts explains what your own app needs.
import { configureExample } from '../vite-config.ts';

export default configureExample('urql-react', 5174);
