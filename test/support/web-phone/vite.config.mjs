// The page of the test phones, as one script that a browser runs.

import { join } from 'node:path';
import { defineConfig } from 'vite';

export default defineConfig({
  logLevel: 'error',
  // JsSIP's packages were written for Node.
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  build: {
    lib: {
      entry: join(import.meta.dirname, 'page.ts'),
      formats: ['iife'],
      name: 'webPhonePage',
      fileName: () => 'page.js',
    },
    minify: false,
  },
});
