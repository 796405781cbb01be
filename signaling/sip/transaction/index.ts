export type {
  ClientFailure,
  ClientTransactionUser,
  RequestInfo,
  ServerTransactionUser,
  TransactionUser,
} from './transaction-user.ts';
export type { ClientTransaction, ServerTransaction } from './transaction.ts';
