export { createApp } from './app.ts';
export type { AppDeps } from './app.ts';
export type { HealthDeps } from './health-routes.ts';
