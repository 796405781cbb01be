export type { ClientFailure, ClientTransactionUser, TransactionUser } from './transaction-user.ts';
export type { RequestInfo, ServerTransactionUser } from './transaction.ts';
export type { ClientTransaction, ServerTransaction, TransactionCounts } from './transaction.ts';
export { TransactionLayer } from './transaction-layer.ts';
export type { TransactionLayerOptions } from './transaction-layer.ts';
export { DEFAULT_TIMER_VALUES, TransactionTimers } from './timers.ts';
export type { TimerValues } from './timers.ts';
export type { CancelHeaders } from './hop-requests.ts';
