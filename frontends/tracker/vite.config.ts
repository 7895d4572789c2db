//  vite.config.ts - builds the tracking page; `npm run dev` serves it on port 3000
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  base: './',
  server: { host: '127.0.0.1', port: 3000 },
});
