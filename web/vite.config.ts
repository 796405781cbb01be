import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

/** Where `npm start` listens: the development server passes on to it what is not a page. */
const SERVER = 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [preact()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    sourcemap: true,
    // What mediasoup-client and socket.io-client come to is one page's need; splitting gains nothing.
    chunkSizeWarningLimit: 800,
  },
  server: {
    proxy: {
      '/socket.io': { target: SERVER, ws: true },
      '/api': SERVER,
    },
  },
});
