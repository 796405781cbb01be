export { createJobQueue } from './job-queue.ts';
export type { JobCounts, JobQueue, JobQueueOptions, RetryPolicy } from './job-queue.ts';
export { WebhookDispatcher } from './webhook-dispatcher.ts';
export type { WebhookDispatcherOptions, WebhookOutcome } from './webhook-dispatcher.ts';
export { deliver, signature, WEBHOOK_EVENTS } from './webhook-job.ts';
export type { WebhookEvent, WebhookEventType, WebhookTarget } from './webhook-job.ts';
