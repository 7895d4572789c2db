//  vite.config.ts - builds the dashboard; `npm run dev` serves it on port 8280
//  and passes the API on to a gateway on port 8180.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  base: './',
  server: {
    host: '127.0.0.1',
    port: 8280,
    proxy: { '/v1': { target: 'http://127.0.0.1:8180', ws: true } },
  },
});
